"""Opening a store: found, brought up to date, and ready for one owner."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.settings import STORE
from llm_tracker.storage.store.address import file_of, store_address
from llm_tracker.storage.store.database import database_at
from llm_tracker.storage.store.migrating import migrate
from llm_tracker.storage.store.store import Store


def open_store(url: str | os.PathLike[str] | None = None) -> Store:
    """The store at an address; without one, that of the environment variable LLM_TRACKER_STORE, else the user's own.

    An address is the path of a SQLite file, `sqlite:///path`, or `postgresql://user:password@host/name`. The tables are
    made where they are missing, and brought up to date where they are older: a SQLite file is copied first.

    Raises InputError for an address that cannot be used, and where nothing is to be kept; StoreError where the store
    cannot be reached, or was written by a newer version.
    """
    address = store_address(None if url is None else os.fspath(url))
    if address is None:
        raise InputError(
            say("Nothing is kept here: {variable} is “none”. Set it to another address, or name one.", variable=STORE)
        )
    return opened(address)


def opened(address: URL, name: str = "") -> Store:
    """The store at an address that was read before, called `name` in messages where one is given. Raises StoreError."""
    database = database_at(address, name)
    try:
        migrate(database, _file(address, database.is_frozen))
    except BaseException:
        database.close()
        raise
    return Store(database)


def _file(address: URL, is_frozen: bool) -> Path | None:
    return None if is_frozen else file_of(address)
