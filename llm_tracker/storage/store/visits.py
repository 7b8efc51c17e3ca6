"""What visitors had chosen and were looking at, so that they find it again when the app was started anew."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from llm_tracker.storage.store.database import Database
from llm_tracker.storage.store.tables import visits


def digest(key: str) -> str:
    """What is kept of a key in an address: whoever reads the database can't open anything with it."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def note_visit(database: Database, owner: str, key: str, state: dict[str, Any]) -> None:
    """Keep what a visitor has chosen, in place of what was kept before. Raises StoreError."""
    row = {"key": digest(key), "owner": owner, "changed_at": time.time(), "state": json.dumps(state)}
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    noted = insert(visits).values(row)
    with database.writing() as connection:  # of two tabs at once the later one counts; somebody else's key stays theirs
        changed = {name: noted.excluded[name] for name in ("changed_at", "state")}
        connection.execute(
            noted.on_conflict_do_update(index_elements=["key"], set_=changed, where=visits.c.owner == owner)
        )


def latest_visit(database: Database, owner: str) -> dict[str, Any] | None:
    """What was kept of an owner's last visit, under whatever key; None of one who never came. Raises StoreError."""
    with database.reading() as connection:
        newest = select(visits.c.state).where(visits.c.owner == owner).order_by(visits.c.changed_at.desc()).limit(1)
        kept = connection.execute(newest).scalar()
    state: dict[str, Any] | None = None if kept is None else json.loads(kept)
    return state


def visit(database: Database, owner: str, key: str) -> dict[str, Any] | None:
    """What was kept of a visitor; None of one who never came, or as somebody else. Raises StoreError."""
    with database.reading() as connection:
        kept = connection.execute(
            select(visits.c.state).where(visits.c.key == digest(key), visits.c.owner == owner)
        ).scalar()
    state: dict[str, Any] | None = None if kept is None else json.loads(kept)
    return state
