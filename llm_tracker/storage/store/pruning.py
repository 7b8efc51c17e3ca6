"""Taking sessions out of a store for good: by age, down to a size, and those that were deleted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select

from llm_tracker.errors import InputError
from llm_tracker.storage.store.database import Database
from llm_tracker.storage.store.saving import unlink
from llm_tracker.storage.store.summaries import StoredSession, summary_of
from llm_tracker.storage.store.tables import parts, sessions

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


def prune(
    database: Database,
    owner: str,
    older_than_days: float | None,
    to_bytes: int | None,
    to_count: int | None,
    keep_starred: bool,
    dry_run: bool,
) -> Pruned:
    """Take out what is too old, and then the oldest until the rest fits; see `Store.prune`."""
    if any(bound is not None and bound < 0 for bound in (older_than_days, to_bytes, to_count)):
        raise InputError("Neither an age, a size nor a number is below 0. Give 0 or more.")
    bounds = (older_than_days, to_bytes, to_count, keep_starred)
    if dry_run:
        with database.reading() as connection:
            return _chosen(connection, owner, *bounds)
    with database.writing() as connection:
        pruned = _chosen(connection, owner, *bounds)
        gone = sessions.c.id.in_([each.id for each in pruned.sessions])
        of_gone = parts.c.session_id.in_(select(sessions.c.id).where(gone))
        files = connection.execute(select(parts.c.file).where(of_gone)).scalars().all()
        connection.execute(delete(parts).where(of_gone))
        connection.execute(delete(sessions).where(gone))
    unlink(database, files)
    _give_room_back(database)
    return pruned


def _chosen(
    connection: Connection,
    owner: str,
    older_than_days: float | None,
    to_bytes: int | None,
    to_count: int | None,
    keep_starred: bool,
) -> Pruned:
    """What is to go. Of two sessions the one with the lower number is the older one, whatever a clock says."""
    rows = select(sessions).where(sessions.c.owner == owner, sessions.c.n_turns > 0).order_by(sessions.c.id)
    found = list(connection.execute(rows).mappings())
    deleted = {row["id"] for row in found if row["deleted_at"] is not None}
    summaries = [summary_of(row) for row in found]
    may_go = [each for each in summaries if each.id not in deleted and not (keep_starred and each.starred)]
    gone = set(deleted)
    if older_than_days is not None:
        before = time.time() - older_than_days * DAY_SECONDS
        gone |= {each.id for each in may_go if each.changed_at < before}
    left = [each for each in summaries if each.id not in gone]
    n_bytes, n = sum(each.n_bytes for each in left), len(left)
    for each in may_go:
        is_too_much = (to_bytes is not None and n_bytes > to_bytes) or (to_count is not None and n > to_count)
        if is_too_much and each.id not in gone:
            gone.add(each.id)
            n_bytes, n = n_bytes - each.n_bytes, n - 1
    rest = [each for each in summaries if each.id not in gone]
    return Pruned(tuple(each for each in summaries if each.id in gone), len(rest), sum(each.n_bytes for each in rest))


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
    return file.name not in named and time.time() - file.stat().st_mtime > ORPHAN_SECONDS
