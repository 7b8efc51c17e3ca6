"""A visitor's conversations by their numbers: those in use in memory, all of them in the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING

from llm_tracker.app.work.keeping.held_sessions import HeldSessions
from llm_tracker.app.work.keeping.most_kept import MostKept
from llm_tracker.app.work.keeping.store_desk import RETRY_SECONDS, StoreDesk
from llm_tracker.app.work.turn_ref import EXAMPLE
from llm_tracker.errors import DamagedError, InputError, StoreError, TrackerError
from llm_tracker.storage.store.sharing import opens, shared_session

if TYPE_CHECKING:
    from llm_tracker.storage.store.store import Store
    from llm_tracker.storage.store.summaries import Unanswered
    from llm_tracker.tracing.session import Session

FIRST_LENT, FIRST_OWN = 800_000_000, 900_000_000
"""From here on are the numbers of sessions that others share, and of those that were begun while the store could not be
reached."""


class KeptSessions(HeldSessions):
    """A session's number is its id in the store, but for the example, what others share, and what was begun while the
    store could not be reached. What is iterated over are those in memory; others open when asked for.

    Nothing is lost where the store fails: what could not be saved stays in memory, `trouble` says why, and it is saved
    as soon as the store is there again. Of more than `most` in the store the oldest go, but for those with a star.
    """

    def __init__(
        self, desk: StoreDesk, owner: str, sessions: Mapping[int, Session] | None = None, most: MostKept | None = None
    ) -> None:
        super().__init__(sessions or {})
        self.most = most
        """What is kept in the store at most; None: any number."""
        self._desk = desk
        self._owner = owner
        self._saved: dict[int, Session] = {}
        """By number: what the store has. Another session in memory is fuller than that, or went on."""
        self._unsaved: dict[int, None] = {}
        """Numbers of what memory has and the store has not, in the order in which they are to be saved."""
        self._ids: dict[int, int] = {}
        """The ids in the store of what was begun while it could not be reached."""
        self._parents: dict[int, int] = {}
        self._lent: dict[str, int] = {}
        self._damaged: dict[int, str] = {}
        self.moved: dict[int, int] = {}
        """Sessions that got another number, and which; whoever shows them takes it out."""
        self.pruned: set[int] = set()
        """Sessions that the store let go because there were too many; whoever holds more of them takes it out."""
        self.given_up: set[int] = set()
        """Sessions whose question without an answer was left."""
        self._numbers = count(FIRST_OWN if desk.is_kept else max(self._in_memory, default=EXAMPLE) + 1)
        self._lock = threading.RLock()
        self._failed_at = 0.0
        self.trouble = ""
        """Why something could not be saved or opened, as a sentence for the user."""

    @property
    def store(self) -> Store | None:
        """The owner's store; None where nothing is kept, or it cannot be reached now."""
        store = self._desk.store(self._owner)
        if store is None and self._desk.trouble:
            self.trouble = self._desk.trouble
        return store

    def __getitem__(self, number: int) -> Session:
        """A session, opened where it is not in memory. Raises KeyError where there is none, or it cannot be read."""
        with self._lock:
            if number in self._in_memory:
                return self._in_memory[number]
            for token in [token for token, lent in self._lent.items() if lent == number]:
                self.lend(token)
            if number in self._in_memory:
                return self._in_memory[number]
            if number in self._damaged:
                self.trouble = self._damaged[number]
                raise KeyError(number)
            if not EXAMPLE < number < FIRST_LENT or (store := self.store) is None:
                raise KeyError(number)
            try:
                session = store.load(number)
            except InputError as error:
                raise KeyError(number) from error
            except StoreError as error:
                self.trouble = str(error)
                if isinstance(error, DamagedError):  # it would be read again at every look
                    self._damaged[number] = self.trouble
                raise KeyError(number) from error
            self._hold(number, session)
            self._saved[number] = session
            return session

    def __setitem__(self, number: int, session: Session) -> None:
        """Keep a session in memory and in the store; `keep` tells where it went to."""
        self.keep(number, session)

    def __delitem__(self, number: int) -> None:
        """Let a session go from memory: the store still has it, unless it could not be saved."""
        with self._lock:
            self._drop(number)
            self._saved.pop(number, None)
            self._unsaved.pop(number, None)

    def stored_id(self, number: int) -> int | None:
        """The id under which the store has a session of the visitor's own; None where it has none."""
        if number in self._ids:
            return self._ids[number]
        return number if EXAMPLE < number < FIRST_LENT else None

    def begin(self, unanswered: Unanswered, number: int | None = None, parent: int | None = None) -> int:
        """Note a question before it is answered; the number that its session has, or will have."""
        parent = None if parent is None else self.stored_id(parent)
        if number is not None and number >= FIRST_OWN:
            return number
        try:
            if (store := self.store) is not None:
                return store.begin(unanswered, number, parent)
        except StoreError as error:
            self.trouble = str(error)
        return number if number is not None else self._new_number(parent)

    def _new_number(self, parent: int | None) -> int:
        own = next(self._numbers)
        if parent is not None:
            self._parents[own] = parent
        return own

    def add(self, session: Session, parent: int | None = None) -> int:
        """Keep a session that has no number yet; the number that it has from now on."""
        with self._lock:
            own = self._new_number(None if parent is None else self.stored_id(parent))
            self.keep(own, session)
            kept_as = self._ids.pop(own, None)
            if kept_as is None:
                return own
            del self[own]
            self._hold(kept_as, session)
            self._saved[kept_as] = session
            return kept_as

    def give_up(self, number: int) -> None:
        """Forget a question that will not be answered."""
        self.given_up.add(number)
        try:
            if number < FIRST_OWN and (store := self.store) is not None:
                store.give_up(number)
        except StoreError as error:
            self.trouble = str(error)

    def is_own(self, number: int) -> bool:
        """Whether a session is the visitor's own: the example, and what others share, can only be read."""
        return number != EXAMPLE and not FIRST_LENT <= number < FIRST_OWN

    def lend(self, token: str) -> int | None:
        """The number of a session that somebody shares by a token; None where that opens nothing any more.

        Where the store cannot say now, what was opened by it stays.
        """
        with self._lock:
            number = self._lent.get(token)
            try:
                if (store := self.store) is None:
                    return number if number in self._in_memory else None
                if number in self._in_memory and opens(store.database, token):
                    return number
                session = shared_session(store.database, token)
            except TrackerError as error:
                self.trouble = str(error)
                return number if number in self._in_memory else None
            if session is None:
                self._take_back(token)
                return None
            number = self._lent.setdefault(token, FIRST_LENT + len(self._lent))
            self._hold(number, session)
            return number

    def look_after_lent(self) -> None:
        """Let what is not shared any more go from memory."""
        for token, number in list(self._lent.items()):
            if number in self._in_memory:
                self.lend(token)

    def _take_back(self, token: str) -> None:
        number = self._lent.get(token)
        if number is not None and number in self._in_memory:
            del self[number]

    def keep(self, number: int, session: Session) -> int:
        """Keep a session; the number that it has from now on.

        That is another one where somebody else went on with the same session in another way meanwhile: theirs stays.
        """
        with self._lock:
            self._hold(number, session)
            if not self.is_own(number) or not self._desk.is_kept:
                return number
            is_new = number not in self._saved
            self._unsaved[number] = None
            self.save_all()
            kept_as = self.moved.get(number, number)
            if is_new:
                self._drop_oldest(kept_as)
            return kept_as

    def _drop_oldest(self, newest: int) -> None:
        """Keep no more in the store than a visitor may have there; what was just kept stays."""
        try:
            if self.most is not None and (store := self.store) is not None and self.most.is_passed_by(store):
                gone = store.prune(
                    to_count=self.most.sessions, to_bytes=self.most.n_bytes, spared=self.stored_id(newest)
                )
                self.pruned |= {each.id for each in gone.sessions}
        except StoreError as error:
            self.trouble = str(error)

    def save_all(self) -> None:
        """Save what is not saved yet; `moved` has those that got another number by that."""
        with self._lock:
            for number in list(self._unsaved):
                try:
                    new = self._save(number)
                except StoreError as error:
                    self.trouble = str(error)
                    new = None
                if new is None:
                    self._failed_at = time.monotonic()
                    break
                if new != number:
                    self.moved[number] = new
            else:
                self.trouble = ""

    def save_again(self) -> None:
        """Try once more to save what is in memory only, after a while: the store may be there again.

        Where everything is saved, an earlier trouble is over; what still fails is said again.
        """
        if not self._unsaved:
            self.trouble = self._desk.trouble
        elif time.monotonic() - self._failed_at >= RETRY_SECONDS:
            self.save_all()

    def can_be_reopened(self, number: int) -> bool:
        """Whether a session in memory is in the store as it is, under this number."""
        return number < FIRST_LENT and self._saved.get(number) is self._in_memory.get(number)

    @property
    def n_unsaved(self) -> int:
        """How many sessions are in memory only."""
        return len(self._unsaved)

    def is_unsaved(self, number: int) -> bool:
        """Whether a session would be lost if memory let it go."""
        return number in self._unsaved

    def _save(self, number: int) -> int | None:
        """Save a session; its number from now on, or None where the store cannot be reached."""
        store = self.store
        if store is None:
            return None
        session, id_there = self._in_memory[number], self.stored_id(number)
        kept_as = store.save(session, id_there, self._saved.get(number), self._parents.get(number))
        del self._unsaved[number]
        if number >= FIRST_OWN:
            self._ids[number], self._saved[number] = kept_as, session
            return number
        if kept_as != number:  # somebody else went on with it: theirs keeps the number
            del self[number]
            self._hold(kept_as, session)
        self._saved[kept_as] = session
        return kept_as
