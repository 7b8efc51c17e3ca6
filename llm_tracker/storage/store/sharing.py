"""Links by which somebody else may read one session, until they are revoked."""

from __future__ import annotations

import secrets
import time

from sqlalchemy import delete, insert, select

from llm_tracker.storage.store.database import Database
from llm_tracker.storage.store.store import Store
from llm_tracker.storage.store.tables import sessions, shares
from llm_tracker.tracing.session import Session


def share(store: Store, session_id: int) -> str:
    """The token by which a session can be read, made where there is none yet.

    Raises InputError where there is no session of this id, StoreError.
    """
    store.summary(session_id)
    known = token_of(store, session_id)
    if known is not None:
        return known
    token = secrets.token_urlsafe(16)
    with store.database.writing() as connection:
        connection.execute(insert(shares).values(token=token, session_id=session_id, created_at=time.time()))
    return token


def token_of(store: Store, session_id: int) -> str | None:
    """The token by which a session can be read; None of one that is not shared. Raises StoreError."""
    own = select(sessions.c.id).where(sessions.c.id == session_id, sessions.c.owner == store.owner)
    with store.database.reading() as connection:
        found = connection.execute(select(shares.c.token).where(shares.c.session_id.in_(own))).scalar()
    return None if found is None else str(found)


def revoke(store: Store, session_id: int) -> None:
    """End the sharing of a session: its links open nothing from now on. Raises StoreError."""
    own = select(sessions.c.id).where(sessions.c.id == session_id, sessions.c.owner == store.owner)
    with store.database.writing() as connection:
        connection.execute(delete(shares).where(shares.c.session_id.in_(own)))


def shared_session(database: Database, token: str) -> Session | None:
    """The session that a token opens, whoever it is of; None where it opens none. Raises StoreError."""
    found = _owner_and_id(database, token)
    return None if found is None else Store(database, found[0]).load(found[1])


def opens(database: Database, token: str) -> bool:
    """Whether a token opens a session still. Raises StoreError."""
    return _owner_and_id(database, token) is not None


def _owner_and_id(database: Database, token: str) -> tuple[str, int] | None:
    rows = select(sessions.c.owner, sessions.c.id).join(shares, shares.c.session_id == sessions.c.id)
    with database.reading() as connection:
        kept = rows.where(shares.c.token == token, sessions.c.deleted_at.is_(None))
        found = connection.execute(kept).first()
    return None if found is None else (str(found[0]), int(found[1]))
