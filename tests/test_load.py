"""Many visitors at once on one model: each gets the answer that it would get alone, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from serving import free_port, started_app
from websocket_visitor import WebsocketVisitor, run_visits

import llm_tracker as lt

pytestmark = pytest.mark.real


CORRECTION = "That is wrong. The correct answer is London."
COUNTRIES = (
    "France Japan Italy Peru Kenya Portugal Chad Cuba India China Egypt Norway Sweden Greece Turkey Iran Iraq Mali "
    "Niger Ghana Oman Fiji Laos Nepal Brazil"
).split()
SOAK_MINUTES = 30


@dataclass
class Served:
    """An app of its own, its process and its store."""

    url: str
    process: psutil.Process
    store: lt.Store

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


@pytest.fixture
def served(tmp_path: Path, embedded: object) -> Iterator[Served]:
    port = free_port()
    store = tmp_path / "s.sqlite"
    process = started_app({**os.environ, "LLM_TRACKER_STORE": str(store)}, port)
    try:
        yield Served(f"http://127.0.0.1:{port}", psutil.Process(process.pid), lt.open_store(store))
    finally:
        process.terminate()
        process.wait(timeout=20)


@dataclass
class Visit:
    question: str
    before: str
    after: str
    waited_seconds: float


QUESTIONS = "What is the capital of {}?", "Which language is spoken in {}?"
"""Of one question each, whoever happens to be the first waits half as long as the last: over more it evens out."""


async def visit(url: str, country: str, n_questions: int = 1) -> list[Visit]:
    """A visitor who asks and corrects at once, again and again."""
    async with WebsocketVisitor(url) as visitor:
        return [await conversation(visitor, country, each.format(country)) for each in QUESTIONS[:n_questions]]


async def conversation(visitor: WebsocketVisitor, country: str, question: str) -> Visit:
    begun = time.monotonic()
    before = await visitor.ask(question)
    after = await visitor.correct(CORRECTION)
    waited = time.monotonic() - begun
    page = visitor.html()
    assert visitor.exceptions == []
    assert not [other for other in COUNTRIES if other != country and f" {other}?" in page]
    return Visit(question, before, after, waited)


async def visits(url: str, countries: list[str], n_questions: int = 1) -> list[list[Visit]]:
    return list(await asyncio.gather(*(visit(url, country, n_questions) for country in countries)))


def alone(model: lt.LoadedModel, question: str) -> lt.Session:
    return lt.track(model, question, [CORRECTION], control=True)


def require_as_alone(store: lt.Store, each: Visit, expected: lt.Session) -> None:
    """The answers, and every number that was kept of them, are those of a model that nobody else uses."""
    (kept,) = [stored for stored in store.list(limit=None) if stored.said[0] == each.question]
    session = store.load(kept.id)
    assert [each.before, each.after] == [turn.answer for turn in expected.turns]
    for mine, own in zip(session.all_turns, expected.all_turns, strict=True):
        assert mine.prompt.token_ids == own.prompt.token_ids
        assert mine.trace.token_ids.tolist() == own.trace.token_ids.tolist()
        np.testing.assert_allclose(mine.trace.top_probs, own.trace.top_probs, atol=1e-3)
        np.testing.assert_allclose(mine.trace.attention, own.trace.attention, atol=1e-3)
        np.testing.assert_allclose(mine.trace.resid, own.trace.resid, rtol=1e-3, atol=1e-2)


def test_visitors_at_once_get_what_each_would_get_alone(served: Served, embedded: lt.LoadedModel) -> None:
    came = run_visits(visits(served.url, COUNTRIES[:3]))
    assert len(served.store.list()) == 3
    for (each,) in came:
        require_as_alone(served.store, each, alone(embedded, each.question))


@pytest.mark.soak
@pytest.mark.parametrize("n", [5, 25])
def test_many_visitors_at_once_wait_alike_and_cost_little_more_than_their_answers(
    served: Served, embedded: lt.LoadedModel, n: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run_visits(visit(served.url, "Wales"))  # the model is in memory from here on
    spent = served.cpu_seconds()
    came = run_visits(visits(served.url, COUNTRIES[:n], len(QUESTIONS)))
    spent = served.cpu_seconds() - spent
    everything = [each for several in came for each in several]
    own = time.process_time()
    expected = [alone(embedded, each.question) for each in everything]
    own = time.process_time() - own
    for each, session in zip(everything, expected, strict=True):
        require_as_alone(served.store, each, session)
    waited = [sum(each.waited_seconds for each in several) for several in came]
    n_turns = 2 * len(everything)
    fair, cost = max(waited) / min(waited), spent / own
    with capsys.disabled():
        sys.stdout.write(
            f"\n{n} visitors: waited {min(waited):.1f} to {max(waited):.1f} s (ratio {fair:.2f}); "
            f"CPU {spent / n_turns:.2f} s a turn served, {own / n_turns:.2f} s alone (ratio {cost:.2f})\n"
        )
    assert fair <= 1.5
    assert cost <= 2


@pytest.mark.soak
def test_memory_stays_where_it_is_for_half_an_hour(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    until = time.monotonic() + 60 * SOAK_MINUTES
    used: list[float] = []
    while time.monotonic() < until:
        run_visits(visits(served.url, COUNTRIES[len(used) % 20 :][:5]))
        used.append(served.process.memory_info().rss / 2**20)
    third = len(used) // 3
    with capsys.disabled():
        sys.stdout.write(
            f"\n{5 * len(used)} visits: {used[0]:.0f} MiB after the first, {max(used):.0f} at most, "
            f"{used[-1]:.0f} last\n"
        )
    assert np.median(used[-third:]) <= 1.05 * np.median(used[third : 2 * third])
