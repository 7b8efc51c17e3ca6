"""A visitor's conversations by their numbers: those in use in memory, all of them in the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from itertools import count
from typing import TYPE_CHECKING

from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.turn_ref import EXAMPLE
from llm_tracker.errors import InputError, StoreError, TrackerError
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.sharing import opens, shared_session

if TYPE_CHECKING:
    from llm_tracker.storage.store.store import Store
    from llm_tracker.storage.store.summaries import Unanswered
    from llm_tracker.tracing.session import Session

FIRST_LENT, FIRST_OWN = 800_000_000, 900_000_000
"""From here on are the numbers of sessions that others share, and of those that were begun while the store could not be
reached."""


class KeptSessions(MutableMapping[int, "Session"]):
    """A session's number is its id in the store. What is iterated over are those in memory; others open when asked for.

    Nothing is lost where the store fails: what could not be saved stays in memory, `trouble` says why, and it is saved
    with the next one. Of more than `most` in the store the oldest go, but for those with a star.
    """

    def __init__(
        self, desk: StoreDesk, owner: str, sessions: Mapping[int, Session] | None = None, most: int | None = None
    ) -> None:
        self.most = most
        """How many are kept in the store; None: any number."""
        self._desk = desk
        self._owner = owner
        self._in_memory: dict[int, Session] = dict(sessions or {})
        self._saved: dict[int, Session] = {}
        self._ids: dict[int, int] = {}
        self._parents: dict[int, int] = {}
        self._unsaved: dict[int, None] = {}
        self._lent: dict[str, int] = {}
        self._damaged: set[int] = set()
        self.given_up: set[int] = set()
        """Sessions whose question without an answer was left."""
        self._numbers = count(FIRST_OWN if desk.is_kept else max(self._in_memory, default=EXAMPLE) + 1)
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
        if number in self._in_memory:
            return self._in_memory[number]
        if not EXAMPLE < number < FIRST_LENT or number in self._damaged or (store := self.store) is None:
            raise KeyError(number)
        try:
            session = store.load(number)
        except InputError as error:
            raise KeyError(number) from error
        except StoreError as error:
            self.trouble = str(error)
            self._damaged.add(number)
            raise KeyError(number) from error
        self._in_memory[number] = self._saved[number] = session
        return session

    def __setitem__(self, number: int, session: Session) -> None:
        """Keep a session in memory and in the store; `keep` tells where it went to."""
        self.keep(number, session)

    def __delitem__(self, number: int) -> None:
        """Let a session go from memory: the store still has it, unless it could not be saved."""
        del self._in_memory[number]
        self._saved.pop(number, None)
        self._unsaved.pop(number, None)

    def __iter__(self) -> Iterator[int]:
        return iter(self._in_memory)

    def __len__(self) -> int:
        return len(self._in_memory)

    def begin(self, unanswered: Unanswered, number: int | None = None, parent: int | None = None) -> int:
        """Note a question before it is answered; the number that its session has, or will have."""
        parent = self._ids.get(parent, parent) if parent is not None and self.is_own(parent) else None
        if number is not None and number >= FIRST_OWN:
            return number
        try:
            if (store := self.store) is not None:
                return store.begin(unanswered, number, parent)
        except StoreError as error:
            self.trouble = str(error)
        if number is not None:
            return number
        own = next(self._numbers)
        if parent is not None:
            self._parents[own] = parent
        return own

    def add(self, session: Session, parent: int | None = None) -> int:
        """Keep a session that has no number yet; the number that it has from now on."""
        own = next(self._numbers)
        if parent is not None and self.is_own(parent):
            self._parents[own] = self._ids.get(parent, parent)
        self.keep(own, session)
        kept_as = self._ids.pop(own, None)
        if kept_as is None:
            return own
        del self[own]
        self._in_memory[kept_as] = self._saved[kept_as] = session
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
        return number != EXAMPLE and number not in self._lent.values()

    def lend(self, token: str) -> int | None:
        """The number of a session that somebody shares by a token; None where that opens nothing any more."""
        try:
            store = self.store
            is_here = self._lent.get(token) in self._in_memory
            if store is not None and is_here and opens(store.database, token):
                return self._lent[token]
            session = None if store is None else shared_session(store.database, token)
        except TrackerError as error:
            self.trouble = str(error)
            session = None
        if session is None:
            self.take_back(token)
            return None
        number = self._lent.setdefault(token, FIRST_LENT + len(self._lent))
        self._in_memory[number] = session
        return number

    def take_back(self, token: str) -> None:
        """Let a session go that is not shared any more."""
        number = self._lent.get(token)
        if number is not None:
            self._in_memory.pop(number, None)

    @property
    def lent(self) -> dict[str, int]:
        """The numbers of the sessions that others share, by their tokens."""
        return dict(self._lent)

    def keep(self, number: int, session: Session) -> int:
        """Keep a session; the number that it has from now on.

        That is another one where somebody else went on with the same session in another way meanwhile: theirs stays.
        """
        self._in_memory[number] = session
        if not self.is_own(number) or not self._desk.is_kept:
            return number
        is_new = number not in self._saved
        self._unsaved[number] = None
        moved = self.save_all()
        if is_new:
            self._drop_oldest()
        return moved.get(number, number)

    def _drop_oldest(self) -> None:
        """Keep no more in the store than a visitor may have there."""
        try:
            if self.most is not None and (store := self.store) is not None and store.count(Query())[0] > self.most:
                store.prune(to_count=self.most)
        except StoreError as error:
            self.trouble = str(error)

    def save_all(self) -> dict[int, int]:
        """Save what is not saved yet; the sessions that got another number by that."""
        moved = {}
        for number in list(self._unsaved):
            try:
                new = self._save(number)
            except StoreError as error:
                self.trouble = str(error)
                break
            if new is None:
                break
            if new != number:
                moved[number] = new
        else:
            self.trouble = ""
        return moved

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
        session, known = self._in_memory[number], self._ids.get(number)
        id_there = known if known is not None else number if number < FIRST_OWN else None
        kept_as = store.save(session, id_there, self._saved.get(number), self._parents.get(number))
        del self._unsaved[number]
        if id_there is None or known is not None:
            self._ids[number], self._saved[number] = kept_as, session
            return number
        if kept_as != number:
            del self[number]
            self._in_memory[kept_as] = session
        self._saved[kept_as] = session
        return kept_as
