"""Writing a session's parts and its row, all in one transaction; and reading the parts back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from llm_tracker.storage.store.contents import (
    HEAD,
    MAX_ROW_BYTES,
    Part,
    answer_of,
    experiment_part,
    head_part,
    keep_file,
    named_turns,
    turn_part,
)
from llm_tracker.storage.store.database import Database, said
from llm_tracker.storage.store.summaries import said_row, searched_text
from llm_tracker.storage.store.tables import parts, sessions
from llm_tracker.tracing.session import Session


def new_row(owner: str, now: float, parent_id: int | None) -> dict[str, Any]:
    """The row of a session that has nothing in it yet."""
    row = {
        "owner": owner,
        "created_at": now,
        "changed_at": now,
        "deleted_at": None,
        "model_id": "",
        "model_title": "",
        "said": "[]",
        "answers": "[]",
        "outcome": "none",
        "n_turns": 0,
        "n_bytes": 0,
        "parent_id": parent_id,
        "name": "",
        "tags": "[]",
        "note": "",
        "starred": False,
        "unanswered": None,
    }
    return {**row, "searched": searched_text(row)}


def save(
    database: Database,
    owner: str,
    session: Session,
    session_id: int | None,
    earlier: Session | None,
    parent_id: int | None,
    created_at: float | None = None,
) -> int:
    """Keep a session under its id, or under a new one where that holds other answers; see `Store.save`."""
    written = _changed_parts(database, session, earlier if session_id is not None else None)
    new_files = [part.file for part in written]
    try:
        with database.writing() as connection:
            row = _row_for(connection, owner, session, session_id, written, parent_id)
            if row is not None and created_at is not None:
                row["created_at"] = min(row["created_at"], max(0.0, created_at))
            old_files = [] if row is None else _write(connection, row, session, written)
    except BaseException:
        unlink(database, new_files)
        raise
    if row is None:
        unlink(database, new_files)
        return save(database, owner, session, None, None, session_id if parent_id is None else parent_id)
    unlink(database, old_files)  # not before all is kept that takes their place
    return int(row["id"])


def _row_for(
    connection: Connection,
    owner: str,
    session: Session,
    session_id: int | None,
    written: list[Part],
    parent_id: int | None,
) -> dict[str, Any] | None:
    """The row that a session is kept under; None where that holds other answers, or is gone."""
    if session_id is None:
        row = new_row(owner, time.time(), parent_id)
        made = connection.execute(insert(sessions).values(row)).inserted_primary_key
        return {**row, "id": made and made[0]}
    own = select(sessions).where(sessions.c.id == session_id, sessions.c.owner == owner)
    kept = connection.execute(own.with_for_update()).mappings().first()  # on a server, who else saves it waits here
    return dict(kept) if kept is not None and _goes_on(connection, session_id, session, written) else None


def read_parts(connection: Connection, session_id: int) -> dict[str, Part]:
    """All parts of a session, by name."""
    rows = connection.execute(select(parts).where(parts.c.session_id == session_id)).mappings()
    return {row["name"]: Part(**{name: row[name] for name in Part.__dataclass_fields__}) for row in rows}


def _changed_parts(database: Database, session: Session, earlier: Session | None) -> list[Part]:
    """The parts that differ from those of `earlier`, large arrays already in files of their own."""
    known = {} if earlier is None else named_turns(earlier)
    known_experiments = {} if earlier is None else earlier.experiments
    changed = {name: turn for name, turn in named_turns(session).items() if known.get(name) is not turn}
    written = [head_part(session)]
    written += [
        experiment_part(index, record)
        for index, record in session.experiments.items()
        if known_experiments.get(index) is not record
    ]
    try:
        with said(database.name):
            for name, turn in changed.items():
                written.append(_in_file(database, turn_part(name, turn, session.recipe)))
    except BaseException:
        unlink(database, [part.file for part in written])
        raise
    return written


def _in_file(database: Database, part: Part) -> Part:
    if database.folder is None or database.is_frozen or part.arrays is None or part.n_bytes <= MAX_ROW_BYTES:
        return part
    return replace(part, arrays=None, file=keep_file(database.folder, part.arrays))


def _goes_on(connection: Connection, session_id: int, session: Session, written: list[Part]) -> bool:
    """Whether what is kept under an id is this session, shorter, longer or read less: no other answers stand there."""
    rows = connection.execute(select(parts.c.name, parts.c.answer).where(parts.c.session_id == session_id))
    kept = {str(name): str(answer) for name, answer in rows}
    own = named_turns(session)
    is_whole = {part.name for part in written} >= own.keys() - kept.keys()
    shared = [name for name in own if name in kept and name.startswith("turn-")]
    return is_whole and all(answer_of(own[name]) == kept[name] for name in shared)


def _write(connection: Connection, row: dict[str, Any], session: Session, written: list[Part]) -> list[str | None]:
    """Write parts in place of those that are there, and what the row says; the files that no row names any more."""
    is_longer = row["n_turns"] > len(session.turns)  # it went on elsewhere: what its head and row say stays
    row |= {"deleted_at": None} if row["n_turns"] < len(session.turns) else {}  # somebody goes on with it
    fresh = [part for part in written if not (is_longer and part.name == HEAD)]
    replaced = (parts.c.session_id == row["id"]) & parts.c.name.in_([part.name for part in fresh])
    old = connection.execute(select(parts.c.file).where(replaced, parts.c.file.is_not(None))).scalars().all()
    connection.execute(delete(parts).where(replaced))
    if fresh:
        connection.execute(insert(parts), [{"session_id": row["id"], **asdict(part)} for part in fresh])
    row |= {} if is_longer else {**said_row(session), "unanswered": None}
    total = select(func.sum(parts.c.n_bytes + func.length(parts.c.record))).where(parts.c.session_id == row["id"])
    row |= {"n_bytes": int(connection.execute(total).scalar() or 0), "changed_at": time.time()}
    row |= {"searched": searched_text(row)}
    connection.execute(update(sessions).where(sessions.c.id == row["id"]).values(row))
    return list(old)


def unlink(database: Database, names: Iterable[str | None]) -> None:
    """Remove files of arrays that no row names; one that can't be removed only takes room."""
    for name in names:
        if name is not None and database.folder is not None:
            with suppress(OSError):
                (database.folder / name).unlink()
