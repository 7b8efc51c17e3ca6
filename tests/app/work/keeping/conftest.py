"""A store that pages reach, and a conversation to keep in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from visitor import tiny_of_any_name

import llm_tracker as lt
from llm_tracker.app.work.keeping.kept_sessions import KeptSessions
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.storage.store.address import store_address


@pytest.fixture(scope="module")
def conversation() -> lt.Session:
    return lt.track(tiny_of_any_name("m"), "Who?", ["No, B."], recipe="raw", max_new_tokens=2)


@pytest.fixture
def question(conversation: lt.Session) -> lt.Session:
    return replace(conversation, turns=conversation.turns[:1])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[StoreDesk]:
    made = StoreDesk(store_address(str(tmp_path / "s.sqlite")))
    yield made
    store = made.store("")
    if store is not None:
        store.database.close()


@pytest.fixture
def sessions(desk: StoreDesk) -> KeptSessions:
    return KeptSessions(desk, "")
