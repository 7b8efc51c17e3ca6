"""A database that is reached in transactions, and whose failures are said in a sentence."""

from __future__ import annotations

import errno
import logging
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import QueuePool, StaticPool

from llm_tracker.errors import StoreError
from llm_tracker.languages.texts import later, say
from llm_tracker.storage.store.address import file_of, named

logger = logging.getLogger(__name__)

BUSY_SECONDS = 10
"""How long SQLite waits for another process that is writing."""

CONNECT_SECONDS = 3
"""How long a server may take to answer."""

_WRITES = "llm_tracker_writes"


@dataclass(frozen=True)
class Database:
    """Where a store's rows are, and the folder beside it where its large arrays are."""

    engine: Engine
    name: str
    """How messages name it."""
    folder: Path | None
    """Of a SQLite file: where large arrays are kept as files of their own. A server keeps all in the database."""
    is_frozen: bool = False
    """Whether it can only be read: its disk, or its file, may not be written."""

    def __post_init__(self) -> None:
        """See to it that connections are let go where nobody does: Python 3.13 warns of those that are not."""
        weakref.finalize(self, self.engine.dispose).atexit = False

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreError."""
        with said(say(self.name)), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is kept, or nothing. Raises StoreError."""
        if self.is_frozen:
            raise StoreError(
                say(
                    "The store ({name}) can be read, but not written: its disk or file is read-only.",
                    name=say(self.name),
                )
            )
        with said(say(self.name)), self.engine.execution_options(**{_WRITES: True}).begin() as connection:
            yield connection

    def close(self) -> None:
        """Let its connections go."""
        self.engine.dispose()


def database_at(url: URL, name: str = "") -> Database:
    """The database of an address, its file and folder made where they are missing. Raises StoreError."""
    file, name = file_of(url), name or named(url)
    if file is None:
        return Database(_server(url), name, None)
    folder = file.with_name(f"{file.stem}-arrays")
    with said(say(name)):
        file.parent.mkdir(parents=True, exist_ok=True)
        is_frozen = file.exists() and not _is_writable(file)
        return Database(_sqlite(file, is_frozen), name, folder, is_frozen)


def _is_writable(file: Path) -> bool:
    """Whether SQLite may write a file that is there: by trying, since a mount may forbid what the rights allow."""
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _write_ahead(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if _cause(error) == "read-only":
            return False
        raise
    finally:
        connection.close()
    return True


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers go on while somebody writes. Of two that switch a new file at once, SQLite refuses one unasked."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if _cause(error) != "busy" or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _sqlite(file: Path, is_frozen: bool) -> Engine:
    # A file that can't be written can't have the journal's own files beside it either: it is read as it stands.
    how = "?mode=ro&immutable=1" if is_frozen else ""
    address = f"{file.absolute().as_uri()}{how}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
        )
        try:
            _prepare(connection, is_frozen)
        except BaseException:
            connection.close()
            raise
        return connection

    return _with_transactions(create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True))


def _prepare(connection: sqlite3.Connection, is_frozen: bool) -> None:
    if not is_frozen:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file: room is given back
        _write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")  # what was saved outlives a power cut
    connection.execute("PRAGMA foreign_keys=ON")


def _server(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        waits = {"connect_timeout": CONNECT_SECONDS}
        # A server that was restarted meanwhile is found out before a connection is used.
        more = {"pool_timeout": CONNECT_SECONDS, "hide_parameters": True}
        return create_engine(url, pool_pre_ping=True, connect_args=waits, **more)
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _begin_by_hand(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")

    return _with_transactions(engine)


def _with_transactions(engine: Engine) -> Engine:
    """Begin transactions as SQLite means them: sqlite3 itself would begin one at the first change only."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def said(name: str) -> Iterator[None]:
    """Turn a failure of the database or of its disk into a sentence. Raises StoreError."""
    try:
        yield
    except (DBAPIError, NoConnection, sqlite3.Error, OSError) as error:
        kind = _cause(error.orig if isinstance(error, DBAPIError) else error)
        if kind == "other":
            logger.exception("the store failed")
        else:
            logger.warning("the store failed (%s): %s", kind, type(error).__name__)
        raise StoreError(say(_SENTENCES[kind], name=name)) from error


_SENTENCES = {
    "full": later("The store ({name}) could not be written: the disk is full. Make room on it."),
    "read-only": later("The store ({name}) could not be written: its disk or file is read-only."),
    "damaged": later(
        "The store ({name}) is damaged: a part of its file cannot be read. Nothing of it was deleted. Move the file "
        "away to begin a new one, or put back a copy of it (an update leaves one beside it)."
    ),
    "busy": later("The store ({name}) is being written by another process for too long. Try again in a moment."),
    "away": later("The store ({name}) cannot be reached now."),
    "other": later("The store ({name}) failed unexpectedly. What was saved before is untouched."),
}


def _cause(error: BaseException | None) -> str:
    """What kind of failure it is, by its number or by its words: databases have no other names for them."""
    words = str(error).casefold()
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or "is full" in words or "no space" in words:
        return "full"
    if number in (errno.EROFS, errno.EACCES, errno.EPERM) or "readonly" in words or "read-only" in words:
        return "read-only"
    if "malformed" in words or "not a database" in words or "corrupt" in words:
        return "damaged"
    if "locked" in words:
        return "busy"
    return "away" if type(error).__name__ in _AWAY or isinstance(error, OSError) else "other"


_AWAY = {"OperationalError", "InterfaceError", "AdminShutdown", "TimeoutError", "ConnectionTimeout"}
"""Of sqlite3, psycopg and SQLAlchemy's pool: no connection, or none any more."""
