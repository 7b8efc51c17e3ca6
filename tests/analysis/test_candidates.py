"""Candidates add up to 100 % with everything else, and watch words are never missing."""

from __future__ import annotations

import pytest
from tiny_models import tiny_model

import llm_tracker as lt


@pytest.fixture(scope="module")
def trace() -> lt.Trace:
    session = lt.track(tiny_model("llama"), "Who?", recipe="chat", max_new_tokens=2, watch_words=["zebra", "yacht"])
    return session.turns[0].trace


def test_the_best_five_and_everything_else_are_all_there_is(trace: lt.Trace) -> None:
    frame = lt.candidates(trace, 0)
    assert frame["rank"].tolist() == [1, 2, 3, 4, 5, 0]
    assert frame["prob"].is_monotonic_decreasing or frame["prob"].iloc[:-1].is_monotonic_decreasing
    assert frame["prob"].sum() == pytest.approx(1)


def test_a_watch_word_beyond_the_best_gets_its_row_with_its_rank(trace: lt.Trace) -> None:
    frame = lt.candidates(trace, 0, words=["zebra", "yacht"])
    watched = {lens.token_id: lens for lens in trace.lens[0].watched.values()}
    for row in frame[frame["token_id"].isin(list(watched))].itertuples():
        lens = watched[row.token_id]
        assert (row.rank, row.prob) == (lens.rank[-1], pytest.approx(lens.prob[-1]))
    assert set(watched) <= set(frame["token_id"])
    assert frame["prob"].sum() == pytest.approx(1)


def test_a_watch_word_among_the_best_is_not_counted_twice(trace: lt.Trace) -> None:
    frame = lt.candidates(trace, 0, count=10, words=["zebra", "yacht"])
    assert frame["token_id"].is_unique
