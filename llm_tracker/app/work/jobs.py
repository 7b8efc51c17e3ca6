"""Jobs: work of a model's own thread, so that no click, page change or reload can lose it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from llm_tracker.errors import Cancelled, InputError, TrackerError, is_lack_of_memory, unforeseen
from llm_tracker.progress import Progress

if TYPE_CHECKING:
    from llm_tracker.tracing.run import TokenEvent

logger = logging.getLogger(__name__)

Kind = Literal["load", "lookup", "ask", "correct", "control", "lens", "words", "positions"]
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
    session: int = 0
    """Where its result goes: the number of a session of the workspace."""
    turn: int = 0
    """The turn of that session that it works on."""
    beside: int | None = None
    """Of a question that another model has answered: the number of the session whose first answer it joins."""
    word: str = ""
    """The word that is to be followed."""
    text: str = ""
    """The answer so far."""
    n_tokens: int = 0
    """Tokens of the answer so far."""
    share: float = 0.0
    """Of a reading of all positions, what is done."""
    max_new_tokens: int = 0
    first_token_at: float = 0.0
    """Seconds on the monotonic clock."""
    last_token_at: float = 0.0
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
        """Ask it to stop: between two tokens, or at the next piece of a download."""
        self._stop.set()

    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def wrote(self, token: TokenEvent) -> None:
        """Note one more token; the one that ends an answer is no part of its text."""
        now = time.monotonic()
        self.first_token_at = self.first_token_at or now
        self.n_tokens, self.last_token_at = self.n_tokens + 1, now
        if not token.is_end:
            self.text = token.text

    def has_read(self, share: float) -> None:
        """Note how much of all positions has been read."""
        self.share = share

    def pace(self) -> tuple[float, float] | None:
        """Seconds per token, and at most how many are left; None before the second token."""
        if self.n_tokens < 2:
            return None
        per_token = (self.last_token_at - self.first_token_at) / (self.n_tokens - 1)
        return per_token, per_token * (self.max_new_tokens - self.n_tokens)

    def report(self, progress: Progress) -> None:
        """Note how far a load has come. Raises Cancelled once it was asked to stop."""
        if self.stopping():
            raise Cancelled("Stopped. Nothing was changed.")
        self.progress = progress


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
                    logger.exception("what follows a %s job failed", job.kind)
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
        job.is_refused = isinstance(error, InputError)
        job.error, job.status = str(error), "failed"
    except Exception as error:
        logger.exception("a %s job failed", job.kind)
        job.error = f"{unforeseen(error)} Nothing was lost{'.' if is_lack_of_memory(error) else '; try again.'}"
        job.status = "failed"
    finally:
        job.ended_at = time.monotonic()
