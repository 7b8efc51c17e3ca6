"""Jobs: work of a model's own thread, so that no click, page change or reload can lose it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.fair_queue import FairQueue
from llm_tracker.errors import Cancelled, InputError, OtherWeightsError, TrackerError, is_lack_of_memory, unforeseen
from llm_tracker.languages.spoken import in_language, language
from llm_tracker.languages.texts import say
from llm_tracker.progress import Progress
from llm_tracker.settings import with_flags

logger = logging.getLogger(__name__)

SOON_SECONDS, LATE_SECONDS = 0.25, 3.0
"""How often a page looks at a job that runs, and at one that has long to wait."""

GUESSED_SECONDS = 2.0
"""What a job is taken for that was never timed."""

Status = Literal["queued", "running", "done", "failed", "stopped"]


@dataclass(frozen=True)
class Meanwhile:
    """What a page says while work in the background is done."""

    text: str
    skip_help: str = ""
    """What is said of its Skip button; without that it has none."""
    is_drawn_by_view: bool = False
    """Whether the view that asked for the work shows how far it has come, with a Stop of its own."""


def _always() -> bool:
    """Of a job that is worth doing whoever looks."""
    return True


def _nothing(_job: Job) -> None:
    """What becomes of a job whose result is read from the job itself."""


def _nothing_more() -> None:
    """Of a job on which nothing follows."""


@dataclass(eq=False)
class Job:
    """One job, written by the worker and read by pages.

    Whoever makes it says what becomes of it and what a page shows meanwhile: no other part of the app knows which
    kinds of work there are. `keep` or `fail`, and then `follow_up`, are called once it has ended, by whoever takes its
    result over, under the lock of the workspace; they must hold neither the model nor a session.
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
    follow_up: Callable[[], object] = _nothing_more
    """Begins what its end calls for, however it ended: whoever sees that it ended sees what was begun, too."""
    status: Status = "queued"
    progress: Progress | None = None
    share: float = 0.0
    """What is done of work that knows it, from 0 to 1."""
    written: str = ""
    """The text so far of work that writes one for a view."""
    found: Any = None
    """What has come so far of work that is shown part by part."""
    n_found: int = 0
    """How many times more has come of it."""
    error: str = ""
    """What went wrong, as a sentence for the user."""
    is_refused: bool = False
    """Whether it failed because of what was asked for: asked again, it would fail again."""
    result: Any = None
    began_at: float = 0.0
    """Seconds on the monotonic clock; 0 until it runs."""
    ended_at: float = 0.0
    """Seconds on the monotonic clock; 0 until it has ended."""
    visitor: str = ""
    """Who asked for it: visitors take turns."""
    language: str = field(default_factory=language)
    """The code of the language of whoever asked for it: what comes of it is said in that one, wherever it runs."""
    is_wanted: Callable[[], bool] = _always
    """Whether anybody still waits for it: a job that nobody does leaves the queue."""
    worker: Worker | None = None
    """Whose queue it is in."""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ("queued", "running")

    def stop(self) -> None:
        """Ask it to stop: between two tokens, or at the next chunk of a download; at once where it waits."""
        self._stop.set()
        if self.worker is not None:
            self.worker.take_out(self)

    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def has_done(self, share: float) -> None:
        """Note how much of the work is done."""
        self.share = share

    def has_written(self, text: str) -> None:
        """Note the text so far."""
        self.written = text

    def has_found(self, found: Any) -> None:
        """Note what has come so far, to be shown at once."""
        self.found = found
        self.n_found += 1

    def report(self, progress: Progress) -> None:
        """Note how far a load has come. Raises Cancelled once it was asked to stop."""
        if self.stopping():
            raise Cancelled(say("Stopped. Nothing was changed."))
        self.progress = progress

    def look_again_seconds(self) -> float:
        """How soon a page that follows it is to look again: late by a tenth of what is left to wait, at most."""
        if self.status != "queued" or self.worker is None:
            return SOON_SECONDS
        seconds = self.worker.seconds_until(self)
        left = self.worker.ahead_of(self) * GUESSED_SECONDS if seconds is None else seconds
        return min(LATE_SECONDS, max(SOON_SECONDS, left / 10))

    def settle(self) -> None:
        """Hand over what came of it: once, after its end."""
        if self.status == "done":
            self.keep(self)
        else:
            self.fail(self)


Work = Callable[[Job], Any]


class Worker:
    """One thread that runs the jobs of one model, those of several visitors in turn."""

    def __init__(self, name: str) -> None:
        self._queue: FairQueue[_Queued] = FairQueue()
        self._running: Job | None = None
        self._n_unfinished = 0
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"model {name}", daemon=True).start()

    def submit(self, job: Job, work: Work, then: Callable[[], object] | None = None) -> Job:
        """Queue a job; `work` is called with it in the worker's thread and returns its result.

        `then` is called once the job has ended, however it did: the next step goes on also when no page looks.
        """
        job.worker = self
        with self._lock:
            self._n_unfinished += 1
        self._queue.put(job.visitor, _Queued(job, work, then))
        return job

    @property
    def busy(self) -> bool:
        """Whether a job, or what follows on one, runs or waits."""
        with self._lock:
            return self._n_unfinished > 0

    @property
    def n_waiting(self) -> int:
        """How many jobs wait."""
        return len(list(self._queue))

    def ahead_of(self, job: Job) -> int:
        """How many jobs come before this one."""
        return len(self._ahead_of(job))

    def seconds_until(self, job: Job) -> float | None:
        """About how long it takes until this job begins; None where nobody knows.

        That is before jobs of the kinds ahead have been timed, and while one takes longer than they did.
        """
        with self._lock:
            known = dict(self._seconds)
        ahead = self._ahead_of(job)
        if not ahead or any(each.name not in known for each in ahead):
            return None
        spent = time.monotonic() - ahead[0].began_at if ahead[0].began_at else 0.0
        return None if spent > known[ahead[0].name] else sum(known[each.name] for each in ahead) - spent

    def take_out(self, job: Job) -> None:
        """Take a job that was stopped out of the queue, where it still waits, and end it."""
        for queued in self._queue.remove(lambda each: each.job is job):
            self._finish(queued)

    def _ahead_of(self, job: Job) -> list[Job]:
        """What runs, and what will be taken before this job; nothing where it does not wait."""
        waiting = [queued.job for queued in self._queue]
        if job not in waiting:
            return []
        running = self._running
        return [*([] if running is None else [running]), *waiting[: waiting.index(job)]]

    def _run(self) -> None:
        while True:
            queued = self._queue.take()
            self._running = queued.job
            self._finish(queued)
            self._running = None
            for left in self._queue.remove(lambda each: not each.job.is_wanted()):
                left.job.stop()
                left.work = _left
                self._finish(left)
            del queued  # or the last session, and a model that is to be let go, would live until the next job

    def _finish(self, queued: _Queued) -> None:
        """Run a job, and what follows on it, in the language of whoever asked for it."""
        with in_language(queued.job.language):
            run_job(queued.job, queued.work)
            self._note_seconds(queued.job)
            if queued.then is not None:
                try:
                    queued.then()
                except Exception:  # the thread has to live on for all who wait
                    logger.exception("what follows a %s job failed", queued.job.name)
        with self._lock:
            self._n_unfinished -= 1

    def _note_seconds(self, job: Job) -> None:
        """Remember how long jobs of a kind take, the last ones most."""
        if job.status == "done":
            took, known = job.ended_at - job.began_at, self._seconds.get(job.name)
            with self._lock:
                self._seconds[job.name] = took if known is None else 0.7 * known + 0.3 * took


def _left(_job: Job) -> None:
    raise Cancelled(say("No page was waiting for this any more, so it left the queue. Ask again."))


@dataclass(eq=False)
class _Queued:
    job: Job
    work: Work
    then: Callable[[], object] | None


def run_job(job: Job, work: Work) -> None:
    """Run a job to its end, whatever happens in it."""
    job.status, job.began_at = "running", time.monotonic()
    try:
        if job.stopping() and work is not _left:
            raise Cancelled(say("Stopped before it began."))
        job.result = work(job)
        job.status = "done"
    except Cancelled as stopped:
        job.error, job.status = str(stopped), "stopped"
    except TrackerError as error:
        job.is_refused = isinstance(error, InputError) and not isinstance(error, OtherWeightsError)
        job.error, job.status = with_flags(error), "failed"
    except (Exception, SystemExit) as error:  # a model's own code may want to end the process
        logger.exception("a %s job failed", job.name)
        kept = say("Nothing was lost.") if is_lack_of_memory(error) else say("Nothing was lost; try again.")
        job.error = f"{unforeseen(error)} {kept}"
        job.status = "failed"
    finally:
        job.ended_at = time.monotonic()
