"""Jobs: work of a model's own thread, so that no click, page change or reload can lose it."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_tracker.errors import Cancelled, TrackerError, one_line
from llm_tracker.models.progress import Progress

logger = logging.getLogger(__name__)

Kind = Literal["load", "ask", "correct", "lens"]
Status = Literal["queued", "running", "done", "failed", "stopped"]


@dataclass(eq=False)
class Job:
    """One piece of work, written by the worker and read by pages."""

    kind: Kind
    model_id: str = ""
    """Whose worker runs it."""
    said: str = ""
    """The question or correction that is being answered."""
    status: Status = "queued"
    progress: Progress | None = None
    text: str = ""
    """The answer so far."""
    error: str = ""
    """What went wrong, as a sentence for the user."""
    result: Any = None
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ("queued", "running")

    def stop(self) -> None:
        """Ask it to stop: between two tokens, or at the next piece of a download."""
        self._stop.set()

    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def report(self, progress: Progress) -> None:
        """Note how far a load has come. Raises Cancelled once it was asked to stop."""
        if self.stopping():
            raise Cancelled("Stopped. Nothing was changed.")
        self.progress = progress


Work = Callable[[Job], Any]


class Worker:
    """One thread that runs the jobs of one model in turn."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Job, Work]] = queue.SimpleQueue()
        self._waiting: list[Job] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"model {name}", daemon=True).start()

    def submit(self, job: Job, work: Work) -> Job:
        """Queue a job; `work` is called with it in the worker's thread and returns its result."""
        with self._lock:
            self._waiting.append(job)
        self._jobs.put((job, work))
        return job

    def ahead_of(self, job: Job) -> int:
        """How many jobs come before this one."""
        with self._lock:
            return self._waiting.index(job) if job in self._waiting else 0

    def _run(self) -> None:
        while True:
            job, work = self._jobs.get()
            run_job(job, work)
            with self._lock:
                self._waiting.remove(job)
            del job, work  # or the last session, and a model that is to be let go, would live until the next job


def run_job(job: Job, work: Work) -> None:
    """Run a job to its end, whatever happens in it."""
    job.status = "running"
    try:
        if job.stopping():
            raise Cancelled("Stopped before it began.")
        job.result = work(job)
        job.status = "done"
    except Cancelled as stopped:
        job.error, job.status = str(stopped), "stopped"
    except TrackerError as error:
        job.error, job.status = str(error), "failed"
    except Exception as error:
        logger.exception("a %s job failed", job.kind)
        what = f"{type(error).__name__}: {one_line(error)}"
        job.error = f"Something unexpected happened ({what}). Nothing was lost; try again."
        job.status = "failed"
