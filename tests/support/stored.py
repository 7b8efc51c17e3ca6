"""The store behind a desk, in tests where it can be reached."""

from __future__ import annotations

import llm_tracker as lt
from llm_tracker.app.work.keeping.store_desk import StoreDesk


def stored(desk: StoreDesk) -> lt.Store:
    """What is kept of the owner who is nobody in particular."""
    store = desk.store("")
    assert store is not None
    return store
