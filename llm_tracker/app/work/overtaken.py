"""Work in the background that a question stopped: what it had found by then is kept as soon as it has ended."""

from __future__ import annotations

from llm_tracker.app.work.jobs import Job


class Overtaken:
    """One workspace's jobs that were stopped for another one, until they have ended; used under its lock."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def stop(self, job: Job) -> None:
        """Stop a job whose place another one has taken."""
        self._jobs.append(job)
        job.stop()

    def settle(self) -> bool:
        """Let those that have ended keep what they had found part by part; whether there was any.

        The others' work is lost: it is begun again where a view needs it, so that nothing is said of their end.
        """
        ended = [job for job in self._jobs if not job.active]
        self._jobs = [job for job in self._jobs if job.active]
        found = [job for job in ended if job.found is not None]
        for job in found:
            job.settle()
        return bool(found)
