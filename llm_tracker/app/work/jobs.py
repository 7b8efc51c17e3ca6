"""Jobs: work of a model's own thread, so that no click, page change or reload can lose it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.errors import Cancelled, InputError, OtherWeightsError, TrackerError, is_lack_of_memory, unforeseen
from llm_tracker.progress import Progress
from llm_tracker.settings import with_flags

logger = logging.getLogger(__name__)

Status = Literal["queued", "running", "done", "failed", "stopped"]


@dataclass(frozen=True)
class Meanwhile:
    """What a page says while work in the background is done."""

    text: str
    skip_help: str = ""
    """What is said of its Skip button; without that it has none."""
    is_drawn_by_view: bool = False
    """Whether the view that asked for the work shows how far it has come, with a Stop of its own."""


def _nothing(_job: Job) -> None:
    """What becomes of a job whose result is read from the job itself."""


@dataclass(eq=False)
class Job:
    """One job, written by the worker and read by pages.

    Whoever makes it says what becomes of it and what a page shows meanwhile: no other part of the app knows which
    kinds of work there are. `keep` and `fail` are called once it has ended, by whoever takes its result over, under
    the lock of the workspace; they must hold neither the model nor a session.
    """

    name: str
    """What the log calls it."""
    model_id: str = ""
    """Whose worker runs it."""
    answer: ComingAnswer | None = None
    """What it writes, where that is an answer: such a job is never stopped for another one."""
    subject: Hashable = None
    """What it computes, such as the layers at all tokens of a turn: by this a view knows the work that it asked for."""
    meanwhile: Meanwhile | None = None
    keep: Callable[[Job], object] = _nothing
    """Keeps the result of a job that is done."""
    fail: Callable[[Job], object] = _nothing
    """Says where it belongs why a job has failed or was stopped."""
    status: Status = "queued"
    progress: Progress | None = None
    share: float = 0.0
    """What is done of work that knows it, from 0 to 1."""
    written: str = ""
    """The text so far of work that writes one for a view."""
    error: str = ""
    """What went wrong, as a sentence for the user."""
    is_refused: bool = False
    """Whether it failed because of what was asked for: asked again, it would fail again."""
    result: Any = None
    ended_at: float = 0.0
    """Seconds on the monotonic clock; 0 until it has ended."""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ("queued", "running")

    def stop(self) -> None:
        """Ask it to stop: between two tokens, or at the next chunk of a download."""
        self._stop.set()

    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def has_done(self, share: float) -> None:
        """Note how much of the work is done."""
        self.share = share

    def has_written(self, text: str) -> None:
        """Note the text so far."""
        self.written = text

    def report(self, progress: Progress) -> None:
        """Note how far a load has come. Raises Cancelled once it was asked to stop."""
        if self.stopping():
            raise Cancelled("Stopped. Nothing was changed.")
        self.progress = progress

    def settle(self) -> None:
        """Hand over what came of it: once, after its end."""
        if self.status == "done":
            self.keep(self)
        else:
            self.fail(self)


Work = Callable[[Job], Any]


class Worker:
    """One thread that runs the jobs of one model in turn."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Job, Work, Callable[[], object] | None]] = queue.SimpleQueue()
        self._waiting: list[Job] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"model {name}", daemon=True).start()

    def submit(self, job: Job, work: Work, then: Callable[[], object] | None = None) -> Job:
        """Queue a job; `work` is called with it in the worker's thread and returns its result.

        `then` is called once the job has ended, however it did: the next step goes on also when no page looks.
        """
        with self._lock:
            self._waiting.append(job)
        self._jobs.put((job, work, then))
        return job

    @property
    def busy(self) -> bool:
        """Whether a job, or what follows on one, runs or waits."""
        with self._lock:
            return bool(self._waiting)

    def ahead_of(self, job: Job) -> int:
        """How many jobs come before this one."""
        with self._lock:
            return self._waiting.index(job) if job in self._waiting else 0

    def _run(self) -> None:
        while True:
            job, work, then = self._jobs.get()
            run_job(job, work)
            if then is not None:
                try:
                    then()
                except Exception:  # the thread has to live on for all who wait
                    logger.exception("what follows a %s job failed", job.name)
            with self._lock:
                self._waiting.remove(job)
            del job, work, then  # or the last session, and a model that is to be let go, would live until the next job


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
        job.is_refused = isinstance(error, InputError) and not isinstance(error, OtherWeightsError)
        job.error, job.status = with_flags(error), "failed"
    except (Exception, SystemExit) as error:  # a model's own code may want to end the process
        logger.exception("a %s job failed", job.name)
        job.error = f"{unforeseen(error)} Nothing was lost{'.' if is_lack_of_memory(error) else '; try again.'}"
        job.status = "failed"
    finally:
        job.ended_at = time.monotonic()
