"""What one visitor has on the screen, kept in the process so that a reloaded tab finds it again."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.keeping.bounds import MAX_SESSION_BYTES, MAX_SESSIONS, MAX_TYPED
from llm_tracker.app.work.keeping.choices import note_choices
from llm_tracker.app.work.keeping.computed import n_bytes_of, too_much
from llm_tracker.app.work.keeping.kept_sessions import KeptSessions
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.overtaken import Overtaken
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.teaching.classroom import Classroom
from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef

if TYPE_CHECKING:
    from llm_tracker.storage.store.summaries import StoredSession
    from llm_tracker.tracing.session import Session

VIEWS = "views"
"""Where the error of work that a view asked for is shown; that of an answer stands at its form."""


@dataclass(eq=False)
class Workspace:
    """One visitor's model, sessions and running job, under an unguessable key that the address carries.

    Several tabs may stand on one workspace; whoever comes first takes over a job's result. Every question, and every
    other correction of the same answer, is a session of its own, so that the earlier ones stay to compare with.
    """

    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    owner: str = ""
    """Whose sessions these are, in the store."""
    address: str = ""
    """Where the browser was last, as far as that is known."""
    tabs: set[str] = field(default_factory=set)
    """Streamlit's names of the tabs that were on this workspace."""
    seen_at: float = field(default_factory=time.monotonic)
    """When a tab was last known to be open, in seconds on the monotonic clock."""
    model_id: str = ""
    """The model that was ready last."""
    wanted_id: str = ""
    """The model chosen in the sidebar."""
    typed_ids: list[str] = field(default_factory=list)
    """Models that were chosen by a name of their own, newest last: they stay among those to choose from."""
    recipe: str = "one-word"
    max_new_tokens: int = 16
    thinking: dict[str, bool] = field(default_factory=dict)
    """By recipe: whether a model may reason first, where that was chosen and its template has a switch."""
    max_thought_tokens: int = 256
    control: bool = True
    """Whether each correction is followed by its neutral control."""
    language: str = ""
    """The code of the language that was chosen; empty: the browser's."""
    tour: int = 0
    """How many of the first steps are done or were skipped."""
    classroom: Classroom = field(default_factory=Classroom)
    sessions: KeptSessions = field(default_factory=lambda: KeptSessions(StoreDesk(None), ""))
    shown: tuple[TurnRef, TurnRef | None] | None = None
    """Before and after, as the last answer brought them up; a first answer has nothing after it yet."""
    job: Job | None = None
    errors: dict[Hashable, str] = field(default_factory=dict)
    """By the form, the subject or `VIEWS` that something was asked for: why it failed; the next question clears all."""
    refused_words: set[tuple[str, str]] = field(default_factory=set)
    """Models and words that they have no token for."""
    stopped_controls: set[TurnRef] = field(default_factory=set)
    """Corrected turns whose control was stopped, and is not begun again by itself."""
    computed: dict[Subject, Any] = field(default_factory=dict)
    """What views asked for, by what it is: maps of whole texts, patterns, samples, and the turns of branches."""
    results: int = 0
    """How many answers have arrived: choices that belong to what is shown begin anew with each."""
    begun: int = 0
    """How many questions and corrections were begun: each settles what was said of an earlier press."""
    cut_off: list[StoredSession] = field(default_factory=list)
    """Sessions whose question an ended process was answering, as they were last looked for."""
    looked_for_cut_off: float = float("-inf")
    """Seconds on the monotonic clock."""
    noted: dict[str, Any] = field(default_factory=dict)
    """What the store knows of these choices."""
    version: int = 0
    """Counts the jobs that were taken over: a page that was drawn meanwhile is drawn anew."""
    _overtaken: Overtaken = field(default_factory=Overtaken)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        """Take plain sessions too: they are kept in memory only."""
        if not isinstance(self.sessions, KeptSessions):
            self.sessions = KeptSessions(StoreDesk(None), "", self.sessions)

    @property
    def answering(self) -> bool:
        """Whether an answer is being written or waits to be."""
        return self.coming is not None

    @property
    def coming(self) -> ComingAnswer | None:
        """The answer that is being written or waits to be."""
        job = self.job
        return job.answer if job is not None and job.active else None

    @property
    def n_bytes(self) -> int:
        """What its sessions' traces take, and lenses of whole texts. No lock is waited for: a save may hold it long."""
        return self.sessions.n_bytes + sum(map(n_bytes_of, list(self.computed.values())))

    def choose(self, model_id: str, is_typed: bool = False) -> None:
        """Want another model; the one that is in use stays until this one is ready."""
        with self._lock:
            self.wanted_id = model_id
            if is_typed:
                others = [each for each in self.typed_ids if each != model_id]
                self.typed_ids = [*others, model_id][-MAX_TYPED:]

    def begin(self, start: Callable[[], Job | None]) -> bool:
        """Take over what has ended, then start a job; False while an answer is under way, or where there is none.

        A click that comes twice, or from a second tab, starts nothing and loses nothing. Work in the background (a
        control, a lens) is stopped: it is begun again when a view needs it; what an experiment has found is kept.
        """
        with self._lock:
            self.collect()
            if self.answering:
                return False
            job = start()
            if job is None:
                return False
            self.errors.clear()
            earlier, self.job = self.job, job
            self.begun += 1
            # Stopped only now: what cannot begin leaves the work in the background alone.
            if earlier is not None:
                self._overtaken.stop(earlier)
            return True

    def begin_background(self, start: Callable[[], Job | None]) -> bool:
        """Start work that a view needs, if `start` finds that it still does; False while anything else is under way."""
        with self._lock:
            if self.job is None:
                self.job = start()
                return self.job is not None
            return False

    def is_at_work_on(self, subject: Hashable) -> bool:
        """Whether this is being computed, or waits to be."""
        job = self.job
        return job is not None and job.active and job.subject == subject

    def stop_work_on(self, subject: Hashable) -> None:
        """Stop what computes this: the page may have been drawn for an earlier one of several jobs that do."""
        with self._lock:
            self.collect()
            if self.job is not None and self.job.subject == subject:
                self.job.stop()

    def show(self, before: TurnRef, after: TurnRef | None) -> None:
        """Bring up an answer that has just arrived, and let the oldest conversations go where there are too many."""
        with self._lock:
            self.shown = (before, after)
            self.results += 1
            self._make_room()
            note_choices(self)

    def forget_views_error(self) -> None:
        """Let the views ask again for what could not be computed."""
        self.errors.pop(VIEWS, None)

    def collect(self) -> bool:
        """Take over the result of a job that has ended; False where there is none."""
        with self._lock:
            if self._overtaken.settle():
                self.version += 1
            job = self.job
            if job is None or job.active:
                return False
            # First, so that a second tab finds nothing to take over.
            self.job = None
            try:
                job.settle()
            finally:
                self._follow_store()
                self.version += 1  # not earlier: a page that reads it has what was kept
            job.follow_up()
            return True

    def has_turn(self, ref: TurnRef) -> bool:
        """Whether a turn is kept."""
        with self._lock:
            session = self.sessions.get(ref.session)
            return session is not None and ref.turn < len(session.turns)

    def turns_or_newest(self, refs: tuple[TurnRef, ...]) -> tuple[tuple[TurnRef, ...], tuple[Session, ...]]:
        """These turns with the sessions that they are of; those that came last where one of them is not kept."""
        with self._lock:
            if self.shown is None:
                raise ValueError("the workspace shows nothing yet")
            newest = tuple(ref for ref in self.shown if ref is not None)
            if not all(map(self.has_turn, newest)):  # they were deleted, or the store has lost its voice
                newest = (TurnRef(EXAMPLE, 0), TurnRef(EXAMPLE, 1))
            found = refs if refs and all(map(self.has_turn, refs)) else newest
            if refs:
                self._make_room(found)
            return found, tuple(self.sessions[ref.session] for ref in found)

    def is_newer(self, version: int) -> bool:
        """Whether there is more to show than there was at this version."""
        with self._lock:
            return self.version != version or (self.job is not None and not self.job.active)

    def kept_sessions(self) -> dict[int, Session]:
        """The sessions as they are now: a job that ends meanwhile adds to those of the workspace."""
        with self._lock:
            return dict(self.sessions)

    def current(self, session: Session, number: int) -> Session:
        """A session as it is kept now, with what has been read of it since; as it was given if it no longer is."""
        with self._lock:
            return self.sessions.get(number, session)

    def keep_fuller(self, number: int, fuller: Session) -> None:
        """Keep a session with more read of it, unless it went on or was let go meanwhile; what is shown follows it."""
        with self._lock:
            if not self.sessions.is_in_memory(number) or len(self.sessions[number].turns) != len(fuller.turns):
                return
            self.sessions.keep(number, fuller)
            self._follow_store()

    def save_again(self) -> None:
        """Save what could not be saved earlier; see `KeptSessions.save_again`."""
        with self._lock:
            self.sessions.save_again()
            self._follow_store()

    def _follow_store(self) -> None:
        """What is shown follows sessions that got another number; what the store let go leaves the memory, too."""
        while self.sessions.moved:
            number, now = self.sessions.moved.popitem()
            if self.shown is not None:
                before, after = self.shown
                self.shown = (before.moved(number, now), after and after.moved(number, now))
        shown = {ref.session for ref in self.shown or () if ref is not None}
        self.let_go(self.sessions.pruned - shown)
        self.sessions.pruned.clear()

    def keep_computed(self, subject: Subject, result: Any) -> None:
        """Keep what a view asked for; where all of it is too large, the oldest goes, but for what stays."""
        self.computed.pop(subject, None)
        self.computed[subject] = result
        for oldest in too_much(self.computed, subject):
            del self.computed[oldest]

    def keep_branch(self, subject: Subject, branch: Session) -> None:
        """Keep a branch as a conversation of its own, in place of an earlier one that is the same."""
        origin, known = subject.turn.session, self.computed.get(subject)
        if branch.parent is not None and self.sessions.is_own(origin):
            branch = replace(branch, parent=replace(branch.parent, session=str(origin)))
        if known is not None and self.has_turn(known):
            number = self.sessions.keep(known.session, branch)
        else:
            number = self.sessions.add(branch, origin)
        self.keep_computed(subject, TurnRef(number, subject.turn.turn))
        self._make_room()

    def let_go_unseen(self) -> None:
        """Let all conversations go from memory that the store has, but for what was shown last."""
        with self._lock:
            shown = {ref.session for ref in self.shown or () if ref is not None}
            self.let_go({number for number in self.sessions if self.sessions.can_be_reopened(number)} - shown)

    def _make_room(self, looked_at: Iterable[TurnRef] = ()) -> None:
        """Let the oldest conversations go from memory where there are too many; not what is shown or looked at."""
        kept = {ref.session for ref in (*looked_at, *(self.shown or ())) if ref is not None} | {EXAMPLE}
        oldest = sorted((number for number in self.sessions if number not in kept), key=self.sessions.is_unsaved)
        while oldest and (len(self.sessions) > MAX_SESSIONS or self.sessions.bytes_of(oldest) > MAX_SESSION_BYTES):
            self.let_go([oldest.pop(0)])

    def let_go(self, numbers: Iterable[int]) -> None:
        """Let conversations go from memory, with what was computed of them."""
        with self._lock:
            gone = set(numbers)
            self.sessions.forget(gone)
            for subject in [subject for subject in self.computed if subject.turn.session in gone]:
                del self.computed[subject]
