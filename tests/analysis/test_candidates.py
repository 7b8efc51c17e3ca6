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
        assert (row.rank, row.prob) == (lens.rank[-1], pytest.approx(lens.prob[-1], rel=1e-5))
    assert set(watched) <= set(frame["token_id"])
    assert frame["prob"].sum() == pytest.approx(1)


def test_a_sampled_token_is_never_missing_from_its_own_candidates() -> None:
    model = tiny_model("llama")
    trace = lt.track(model, "Who?", recipe="chat", max_new_tokens=12, temperature=8.0, seed=3).turns[0].trace
    beyond = [step for step in range(trace.n_steps) if trace.token_ranks[step] > 5]
    assert beyond
    for step in range(trace.n_steps):
        row = lt.candidates(trace, step).set_index("token_id").loc[int(trace.token_ids[step])]
        assert row["rank"] == trace.lens[step].token_rank[-1]
        assert row["prob"] == pytest.approx(trace.lens[step].token_prob[-1], abs=1e-5)


def test_a_watch_word_among_the_best_is_not_counted_twice(trace: lt.Trace) -> None:
    frame = lt.candidates(trace, 0, count=10, words=["zebra", "yacht"])
    assert frame["token_id"].is_unique
