"""What the store costs: listing, searching and opening among 10,000 sessions, and saving one. Seconds; no ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

import llm_tracker as lt
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.summaries import searched_text
from llm_tracker.storage.store.tables import parts, sessions

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

N_SESSIONS = 10_000
WITH_ARRAYS = 100
"""Every so-manieth has its arrays too: a list does not look at them, and all would take 20 GB."""

WORDS = "France Japan Peru Kenya Norway Chad Laos Cuba Oman Fiji".split()


def store(model: LoadedModel, n: int) -> Iterator[tuple[str, Any]]:
    """All figures, in a store of its own on this disk."""
    session = lt.track(model, "What is the capital of France?", ["No, London."], control=True)
    with TemporaryDirectory() as place:
        filled = lt.open_store(Path(place) / "s.sqlite")
        yield "store_save_seconds", _median(lambda: filled.save(session), n)
        _fill(filled, session)
        yield "store_list_100_seconds", _median(lambda: filled.list(), n)
        yield "store_list_all_seconds", _median(lambda: filled.list(limit=None), n)
        yield "store_history_page_seconds", _median(lambda: _history_page(filled), n)
        yield "store_search_seconds", _median(lambda: filled.list("capital Kenya 77"), n)
        yield "store_open_seconds", _median(lambda: filled.load(N_SESSIONS // 2), n)
        yield "store_first_open_seconds", _median(lambda: lt.open_store(filled.name).list(), n)
        filled.database.close()


def _history_page(filled: lt.Store) -> None:
    """What one drawing of the History page asks for."""
    filled.models(), filled.tags(), filled.count(Query())
    filled.find(Query(), 25)


def _fill(filled: lt.Store, session: lt.Session) -> None:
    """As many sessions as a diligent class leaves in a year: copies of one, each with another question."""
    first = filled.save(session)
    with filled.database.writing() as connection:
        row = dict(connection.execute(select(sessions).where(sessions.c.id == first)).mappings().one())
        own = [dict(each) for each in connection.execute(select(parts).where(parts.c.session_id == first)).mappings()]
        for number in range(first + 1, N_SESSIONS + 1):
            said = f'["What is the capital of {WORDS[number % len(WORDS)]}, number {number}?", "No, London."]'
            copy = {**row, "id": number, "said": said}
            connection.execute(insert(sessions).values({**copy, "searched": searched_text(copy)}))
            if number % WITH_ARRAYS == 0:
                connection.execute(insert(parts), [{**part, "session_id": number} for part in own])


def _median(act: Callable[[], object], n: int) -> float:
    act()
    took = []
    for _ in range(n):
        begun = time.perf_counter()
        act()
        took.append(time.perf_counter() - begun)
    return statistics.median(took)
