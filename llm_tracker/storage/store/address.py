"""Where a store is: the user's own file, another one, or a PostgreSQL server."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import later, say
from llm_tracker.places import data_dir
from llm_tracker.settings import STORE

NOTHING = "none"
"""As an address: nothing is kept."""


def store_address(given: str | None = None) -> URL | None:
    """The address that was given, else that of the environment, else the user's own file; None to keep nothing.

    A text without `://` is the path of a SQLite file. Raises InputError for an address that names no store; it says
    nothing of the address, in which there may be a password.
    """
    text = (given or os.environ.get(STORE) or "").strip()
    if text.casefold() == NOTHING:
        return None
    if not text:
        return _file(data_dir() / "sessions.sqlite")
    if "://" not in text:
        return _file(Path(text).expanduser().absolute())
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        said = say("The store's address cannot be read.")
        raise InputError(f"{said} {say(_WANTED, variable=STORE)}") from error
    kind = url.get_backend_name()
    if kind == "postgres":  # as many hosts spell it
        kind = "postgresql"
    if kind not in ("sqlite", "postgresql"):
        raise InputError(
            f"{say('A store of the kind “{kind}” cannot be used.', kind=kind)} {say(_WANTED, variable=STORE)}"
        )
    return url.set(drivername="sqlite" if kind == "sqlite" else "postgresql+psycopg")


_WANTED = later(
    "Give the path of a SQLite file, sqlite:///path, postgresql://user:password@host/name, or none to keep nothing "
    "({variable})."
)


def _file(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


def file_of(url: URL) -> Path | None:
    """The file of a SQLite store; None of one in memory, and of a server."""
    in_memory = url.database in (None, "", ":memory:")
    return Path(url.database or "") if url.get_backend_name() == "sqlite" and not in_memory else None


def named(url: URL) -> str:
    """How messages name a store: its file, or its kind and host; never a password."""
    file = file_of(url)
    if file is not None:
        return str(file)
    return "in memory" if url.get_backend_name() == "sqlite" else f"PostgreSQL at {url.host or 'this machine'}"
