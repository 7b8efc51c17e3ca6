"""Taking sessions out of a store for good: by age, down to a size, and those that were deleted."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.storage.store.database import Database, said
from llm_tracker.storage.store.saving import unlink
from llm_tracker.storage.store.summaries import StoredSession, summary_of
from llm_tracker.storage.store.tables import parts, sessions, visits

DAY_SECONDS = 24 * 60 * 60

ORPHAN_SECONDS = 60 * 60
"""A file that no row names is of a process that was killed while it saved, once it is older than this."""


@dataclass(frozen=True)
class Pruned:
    """What was taken out, or of a dry run what would be."""

    sessions: tuple[StoredSession, ...]
    """Deleted ones are among them."""
    kept: int
    """How many remain."""
    kept_bytes: int

    @property
    def n_bytes(self) -> int:
        """What they took."""
        return sum(each.n_bytes for each in self.sessions)


@dataclass(frozen=True)
class Bounds:
    """What is to go; see `Store.prune`."""

    older_than_days: float | None = None
    to_bytes: int | None = None
    to_count: int | None = None
    keep_starred: bool = True
    spared: int | None = None

    @property
    def before(self) -> float | None:
        """What was not changed since then is too old, in seconds since 1970; None where nothing is."""
        return None if self.older_than_days is None else time.time() - self.older_than_days * DAY_SECONDS


def prune(database: Database, owner: str, bounds: Bounds, dry_run: bool) -> Pruned:
    """Take out what is too old, and then the oldest until the rest fits; see `Store.prune`."""
    if any(bound is not None and bound < 0 for bound in (bounds.older_than_days, bounds.to_bytes, bounds.to_count)):
        raise InputError(say("Neither an age, a size nor a number is below 0. Give 0 or more."))
    if dry_run:
        with database.reading() as connection:
            return _chosen(connection, owner, bounds)
    with database.writing() as connection:
        pruned = _chosen(connection, owner, bounds)
        gone = sessions.c.id.in_([each.id for each in pruned.sessions])
        of_gone = parts.c.session_id.in_(select(sessions.c.id).where(gone))
        files = connection.execute(select(parts.c.file).where(of_gone)).scalars().all()
        connection.execute(delete(parts).where(of_gone))
        connection.execute(delete(sessions).where(gone))
        if bounds.before is not None:
            never_answered = (sessions.c.n_turns == 0) & (sessions.c.changed_at < bounds.before)
            connection.execute(delete(sessions).where(sessions.c.owner == owner, never_answered))
            connection.execute(delete(visits).where(visits.c.owner == owner, visits.c.changed_at < bounds.before))
    unlink(database, files)
    with said(database.name):
        _give_room_back(database)
    return pruned


def all_pruned(several: Iterable[Pruned]) -> Pruned:
    """What was taken out of several owners' parts of a store."""
    each = list(several)
    gone = tuple(session for pruned in each for session in pruned.sessions)
    return Pruned(gone, sum(pruned.kept for pruned in each), sum(pruned.kept_bytes for pruned in each))


def _chosen(connection: Connection, owner: str, bounds: Bounds) -> Pruned:
    """What is to go. Of two sessions the one with the lower number is the older one, whatever a clock says."""
    rows = select(sessions).where(sessions.c.owner == owner, sessions.c.n_turns > 0).order_by(sessions.c.id)
    found = list(connection.execute(rows).mappings())
    summaries = [summary_of(row) for row in found]
    stays = {each.id for each in summaries if each.id == bounds.spared or (bounds.keep_starred and each.starred)}
    gone = {row["id"] for row in found if row["deleted_at"] is not None} - stays
    may_go = [each for each in summaries if each.id not in gone | stays]
    if bounds.before is not None:
        gone |= {each.id for each in may_go if each.changed_at < bounds.before}
    left = [each for each in summaries if each.id not in gone]
    n_bytes, n = sum(each.n_bytes for each in left), len(left)
    most_bytes, most = _or_endless(bounds.to_bytes), _or_endless(bounds.to_count)
    for each in may_go:
        if (n_bytes > most_bytes or n > most) and each.id not in gone:
            gone.add(each.id)
            n_bytes, n = n_bytes - each.n_bytes, n - 1
    return Pruned(tuple(each for each in summaries if each.id in gone), n, n_bytes)


def _or_endless(bound: int | None) -> float:
    return float("inf") if bound is None else bound


def _give_room_back(database: Database) -> None:
    """Shrink a SQLite file, and remove files that a killed process left."""
    if database.is_sqlite:
        with database.writing() as connection:
            own: Any = connection.connection.driver_connection
            own.execute("PRAGMA incremental_vacuum").fetchall()  # SQLAlchemy would take its first step only
    if database.folder is not None and database.folder.is_dir():
        with database.reading() as connection:
            named = set(connection.execute(select(parts.c.file).where(parts.c.file.is_not(None))).scalars())
        unlink(database, [file.name for file in database.folder.iterdir() if _is_orphan(file, named)])


def _is_orphan(file: Path, named: set[str | None]) -> bool:
    if file.name in named:
        return False
    try:
        return time.time() - file.stat().st_mtime > ORPHAN_SECONDS
    except FileNotFoundError:  # who saved it has given it its name meanwhile
        return False
