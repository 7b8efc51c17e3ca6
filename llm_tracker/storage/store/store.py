"""A store of sessions: save, open, list, describe, delete. Nothing here needs a model."""

from __future__ import annotations

import builtins
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from llm_tracker.errors import DamagedError, InputError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.storage.store import saving
from llm_tracker.storage.store.contents import session_of_parts
from llm_tracker.storage.store.database import Database
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.pruning import Bounds, Pruned, prune
from llm_tracker.storage.store.summaries import (
    StoredSession,
    Unanswered,
    plain,
    searched_text,
    summary_of,
    tag_row,
    this_process,
    unanswered_row,
)
from llm_tracker.storage.store.tables import sessions, visits
from llm_tracker.tracing.session import Session

OWN_MACHINE = ""
"""The one owner of a store that nobody shares: the user of this machine."""

MOST_CUT_OFF = 50
"""Questions without an answer that are looked at."""

MAX_ID = 2**31

MAX_TEXT = 10_000
"""Characters of a name, a note, or all tags together."""

TOO_LONG = {
    "name": later("The name is too long: {n} characters, of at most {most}."),
    "note": later("The note is too long: {n} characters, of at most {most}."),
    "tags": later("The tags are too long together: {n} characters, of at most {most}."),
}


@dataclass(frozen=True)
class Store:
    """The sessions of one owner. Every method raises StoreError where the database cannot be read or written.

    A session that is kept only grows: turns are added, and what has been read of them. Saved over with another answer
    in the same place (two processes went on with one session), it becomes a session of its own.
    """

    database: Database
    owner: str = OWN_MACHINE

    def for_owner(self, owner: str) -> Store:
        """The same store for another owner, who sees nothing of this one's."""
        return replace(self, owner=owner)

    @property
    def name(self) -> str:
        """Where it is: a file, or a server without its password."""
        return self.database.name

    def save(
        self,
        session: Session,
        session_id: int | None = None,
        earlier: Session | None = None,
        parent_id: int | None = None,
        created_at: float | None = None,
    ) -> int:
        """Keep a session and return its id: with `session_id`, in place of what was kept under that.

        `earlier` is the session as it was when it was last saved there: turns that it shares are not written again.
        `created_at` (seconds since 1970) is of a session from elsewhere; one that lies ahead is not believed.
        Raises InputError for a session without a turn.
        """
        if not session.turns:
            raise InputError(say("A session without an answer is not kept. Ask a question first."))
        return saving.save(self.database, self.owner, session, session_id, earlier, parent_id, created_at)

    def load(self, session_id: int) -> Session:
        """Open a session. Raises InputError for one that is not there or deleted, DamagedError for a damaged one."""
        try:
            return self._load(session_id)
        except DamagedError:  # or it was saved between its rows and its files, which were others then
            return self._load(session_id)

    def _load(self, session_id: int) -> Session:
        with self.database.reading() as connection:
            if self._row(connection, session_id)["deleted_at"] is not None:
                raise InputError(
                    say(
                        "The session {session_id} was deleted: llm-tracker sessions restore {session_id}",
                        session_id=session_id,
                    )
                )
            parts = saving.read_parts(connection, session_id)
        return session_of_parts(parts, self.database.folder)

    def summary(self, session_id: int) -> StoredSession:
        """What a list shows of one session, a deleted one too. Raises InputError where there is none of this id."""
        with self.database.reading() as connection:
            return summary_of(self._row(connection, session_id))

    def has_turn(self, session_id: int, turn: int) -> bool:
        """Whether there is a session of this id, not deleted, with this turn."""
        kept = sessions.c.deleted_at.is_(None) & (sessions.c.n_turns > turn)
        with self.database.reading() as connection:
            return connection.execute(select(sessions.c.id).where(self._is(session_id), kept)).first() is not None

    def list(
        self,
        search: str | None = None,
        model: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
        **more: Any,
    ) -> builtins.list[StoredSession]:
        """Sessions, the newest first; `search` are words that all occur, `more` are the fields of `Query`."""
        return self.find(Query(search, model, **more), limit, offset)

    def find(self, query: Query, limit: int | None = 100, offset: int = 0) -> builtins.list[StoredSession]:
        """The sessions of a query, in its order."""
        rows = query.narrowed(select(sessions), self.owner, self.database.is_sqlite)
        rows = rows.order_by(*query.ordering()).limit(limit).offset(offset)
        with self.database.reading() as connection:
            return [summary_of(row) for row in connection.execute(rows).mappings()]

    def count(self, query: Query) -> tuple[int, int]:
        """How many sessions a query finds, and how many bytes they take."""
        totals = select(func.count(), func.coalesce(func.sum(sessions.c.n_bytes), 0)).select_from(sessions)
        with self.database.reading() as connection:
            n, n_bytes = connection.execute(query.narrowed(totals, self.owner, self.database.is_sqlite)).one()
        return int(n), int(n_bytes)

    def models(self) -> dict[str, str]:
        """The titles of the models that answered, by their ids."""
        rows = select(sessions.c.model_id, func.max(sessions.c.model_title)).group_by(sessions.c.model_id)
        with self.database.reading() as connection:
            found = connection.execute(Query().narrowed(rows, self.owner, False)).all()
        return dict(sorted((str(model), str(title)) for model, title in found))

    def tags(self) -> builtins.list[str]:
        """All tags that are used."""
        rows = select(sessions.c.tags).where(sessions.c.tags != "[]").distinct()
        with self.database.reading() as connection:
            found = connection.execute(Query().narrowed(rows, self.owner, False)).scalars().all()
        return sorted({tag for tags in found for tag in json.loads(tags)}, key=str.casefold)

    def titles(self, ids: Iterable[int]) -> dict[int, str]:
        """What these sessions are called, deleted ones too."""
        rows = select(sessions).where(sessions.c.owner == self.owner, sessions.c.id.in_(map(_as_id, ids)))
        with self.database.reading() as connection:
            return {row["id"]: summary_of(row).title for row in connection.execute(rows).mappings()}

    def describe(
        self,
        session_id: int,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        note: str | None = None,
        starred: bool | None = None,
    ) -> None:
        """Change what a user says of a session; what is None stays. Raises InputError for texts that are too long."""
        changed: dict[str, Any] = {"starred": starred, "tags": None if tags is None else tag_row(tags)}
        changed |= {key: None if text is None else plain(text) for key, text in (("name", name), ("note", note))}
        for key in TOO_LONG:
            if len(changed[key] or "") > MAX_TEXT:
                raise InputError(say(TOO_LONG[key], n=number(len(changed[key]), ","), most=number(MAX_TEXT, ",")))
        changed = {key: value for key, value in changed.items() if value is not None}
        with self.database.writing() as connection:
            row = {**self._row(connection, session_id), **changed}
            connection.execute(
                update(sessions).where(self._is(session_id)).values(**changed, searched=searched_text(row))
            )

    def delete(self, *ids: int) -> int:
        """Delete sessions, so that `restore` can bring them back until they are pruned; how many there were."""
        return self._mark(ids, time.time(), sessions.c.deleted_at.is_(None))

    def restore(self, *ids: int) -> int:
        """Bring deleted sessions back; how many there were."""
        return self._mark(ids, None, sessions.c.deleted_at.is_not(None))

    def prune(
        self,
        older_than_days: float | None = None,
        to_bytes: int | None = None,
        keep_starred: bool = True,
        dry_run: bool = False,
        to_count: int | None = None,
        spared: int | None = None,
    ) -> Pruned:
        """Take sessions out for good: older ones, the oldest down to a size or a number, and deleted ones.

        Questions that were never answered and choices of visitors, both older, go too. `spared` is the id of a session
        that stays whatever else is said.
        """
        bounds = Bounds(older_than_days, to_bytes, to_count, keep_starred, spared)
        return prune(self.database, self.owner, bounds, dry_run)

    def owners(self) -> builtins.list[str]:
        """All owners that the store has something of."""
        rows = select(sessions.c.owner).union(select(visits.c.owner))
        with self.database.reading() as connection:
            return sorted(map(str, connection.execute(rows).scalars()))

    def begin(self, unanswered: Unanswered, session_id: int | None = None, parent_id: int | None = None) -> int:
        """Note a question before it is answered, in a new session or in one that is kept; its id.

        The next `save` of that session settles it.
        """
        now = time.time()
        noted = unanswered_row(replace(unanswered, asked_at=now, process=this_process()))
        with self.database.writing() as connection:
            if session_id is not None:
                connection.execute(update(sessions).where(self._is(session_id)).values(unanswered=noted))
                return session_id
            row = saving.new_row(self.owner, now, parent_id) | {"unanswered": noted}
            made = connection.execute(insert(sessions).values(row)).inserted_primary_key
            return int(made[0]) if made else 0

    def give_up(self, session_id: int) -> None:
        """Forget a question that will not be answered; a session without any answer goes with it."""
        with self.database.writing() as connection:
            connection.execute(update(sessions).where(self._is(session_id)).values(unanswered=None))
            connection.execute(delete(sessions).where(self._is(session_id), sessions.c.n_turns == 0))

    def cut_off(self) -> builtins.list[StoredSession]:
        """Sessions with a question that nobody answers any more: the process that did has ended. Newest first."""
        rows = select(sessions).where(
            sessions.c.owner == self.owner, sessions.c.unanswered.is_not(None), sessions.c.deleted_at.is_(None)
        )
        with self.database.reading() as connection:
            newest = connection.execute(rows.order_by(sessions.c.id.desc()).limit(MOST_CUT_OFF))
            found = [summary_of(row) for row in newest.mappings()]
        return [each for each in found if each.unanswered is not None and each.unanswered.is_cut_off]

    def _is(self, session_id: int) -> Any:
        """The condition that a row is the one of this id, and this owner's."""
        return (sessions.c.id == _as_id(session_id)) & (sessions.c.owner == self.owner)

    def _row(self, connection: Connection, session_id: int) -> Any:
        row = connection.execute(select(sessions).where(self._is(session_id))).mappings().first()
        if row is None:
            raise InputError(
                say(
                    "There is no session {session_id} in the store. See which there are: llm-tracker sessions list",
                    session_id=session_id,
                )
            )
        return row

    def _mark(self, ids: Iterable[int], deleted_at: float | None, now: Any) -> int:
        of_ids = (sessions.c.owner == self.owner) & sessions.c.id.in_(map(_as_id, ids)) & now
        with self.database.writing() as connection:
            return connection.execute(update(sessions).where(of_ids).values(deleted_at=deleted_at)).rowcount


def _as_id(number: int) -> int:
    """A number that a database takes; no session has 0."""
    return number if 0 < number < MAX_ID else 0
