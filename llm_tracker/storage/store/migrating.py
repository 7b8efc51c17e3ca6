"""Bring a store to this version's tables: step by step, in one transaction, an older file's copy made first."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from llm_tracker.errors import StoreError
from llm_tracker.languages.texts import say
from llm_tracker.storage.store.database import Database, said

NEWEST = "0004"
"""The last step in migrations/versions/. Known here, so that a store that is up to date needs no Alembic."""


def migrate(database: Database, file: Path | None) -> None:
    """Bring a store up to date, unless it is.

    Of an older SQLite file a copy is made beside it first. Raises StoreError for a store that a newer version has
    written, and where it cannot be read, copied or written.
    """
    with database.reading() as connection:
        found = _revision(connection)
    if found == NEWEST:
        return
    if found is not None:
        _require_known(found, database.name)
        if file is not None:
            _copy(file, file.with_name(f"{file.name}.before-{NEWEST}"), database.name)
    with database.writing() as connection:
        if _revision(connection) != NEWEST:  # another process may have been faster
            _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    """The step that a store is at; None of one without tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _require_known(found: str, name: str) -> None:
    """Refuse what a newer version has written. The steps' names are numbers that only grow."""
    if found > NEWEST:
        raise StoreError(
            say(
                "The store ({name}) was written by a newer version of this app (its format is {found}, this "
                "version knows {known}). Nothing was changed. Update the app, or have it use another store.",
                name=name,
                found=found,
                known=NEWEST,
            )
        )


def _copy(file: Path, to: Path, name: str) -> None:
    """Copy a SQLite file whole, with what its journal holds; an earlier copy of the same step is the better one."""
    if to.exists():
        return
    partial = to.with_name(f"{to.name}.part")
    partial.unlink(missing_ok=True)
    with said(name):
        source, copy = sqlite3.connect(file), sqlite3.connect(partial)
        try:
            source.backup(copy)
        finally:
            source.close()
            copy.close()
        partial.rename(to)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "llm_tracker.storage.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
