"""The store as the app's pages and workers reach it: opened when it is first needed, and again after a failure."""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import URL

from llm_tracker.errors import InputError, StoreError
from llm_tracker.languages.texts import later, say
from llm_tracker.storage.store.address import store_address
from llm_tracker.storage.store.opening import opened
from llm_tracker.storage.store.store import Store

logger = logging.getLogger(__name__)

UNNAMED = later("of this host")

RETRY_SECONDS = 5.0
"""How long a store that could not be opened is left alone: each try may take as long as a server may be silent."""


class StoreDesk:
    """One store for the process. Pages go on without it where it cannot be reached, and say so."""

    def __init__(self, address: URL | None, is_named: bool = True) -> None:
        self._address = address
        self._is_named = is_named
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._tried_at = -RETRY_SECONDS
        self.trouble = ""
        """Why it cannot be opened, as a sentence for the user."""

    @classmethod
    def of_address(cls, given: str | None, is_named: bool = True) -> StoreDesk:
        """The store that the app was told to use; one that cannot be used is said, and nothing is kept.

        Unless `is_named`, no message tells visitors where it is.
        """
        try:
            return cls(store_address(given), is_named)
        except InputError as error:
            logger.warning("%s", error)
            desk = cls(None)
            said = str(error) if is_named else say("The store of this host is not set up.")
            desk.trouble = f"{said} {say('Until then nothing is kept.')}"
            return desk

    @property
    def is_kept(self) -> bool:
        """Whether sessions are to be kept at all."""
        return self._address is not None

    def store(self, owner: str) -> Store | None:
        """One owner's part of the store; None where nothing is kept, or it cannot be opened now."""
        with self._lock:
            if self._store is None and self._address is not None and self._may_try():
                self._open(self._address)
            return None if self._store is None else self._store.for_owner(owner)

    def _may_try(self) -> bool:
        return time.monotonic() - self._tried_at >= RETRY_SECONDS

    def _open(self, address: URL) -> None:
        try:
            self._store, self.trouble = opened(address, "" if self._is_named else UNNAMED), ""
        except StoreError as error:
            logger.warning("%s", error)
            self.trouble = str(error) if self._is_named else say("The store of this host cannot be reached now.")
        self._tried_at = time.monotonic()
