"""The grid of heads says what the kept rows say; words are found where they stand; nothing needs a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.attention import PARKED, attention_by_word
from llm_tracker.analysis.heads import (
    HeadMeasure,
    count_parked,
    head_grid,
    heads_frame,
    last_said,
    named_places,
    places_of,
    ranked_heads,
)


@pytest.fixture(scope="module")
def session() -> lt.Session:
    correction = "No. The capital is London, not Paris."
    return lt.track(tiny_model("llama"), "Is Paris the capital of France?", [correction], max_new_tokens=3)


@pytest.fixture(scope="module")
def turn(session: lt.Session) -> lt.Turn:
    return session.turns[1]


def test_a_cell_is_the_share_of_its_head_by_word(turn: lt.Turn) -> None:
    places = places_of(turn, 1, "London")
    grid = head_grid(turn, 1, "words", places)
    parked = head_grid(turn, 1, "parked")
    assert grid.shape == (3, 4)
    for layer in range(3):
        for head in range(4):
            shares = attention_by_word(turn, 1, layer + 1, head + 1)
            own = shares[[(start, end) in places for start, end in zip(shares["start"], shares["end"], strict=True)]]
            assert grid[layer, head] == pytest.approx(own["share"].sum(), abs=1e-6)
            assert parked[layer, head] == pytest.approx(shares["share"][shares["group"] == PARKED].sum(), abs=1e-5)


def test_entropy_and_largest_share_are_those_of_the_row(turn: lt.Turn) -> None:
    row = turn.trace.attention[0, 1, 2, : turn.trace.prompt_length].astype(float)
    assert head_grid(turn, 0, "entropy")[1, 2] == pytest.approx(-(row * np.log(row)).sum(), abs=1e-5)
    shares = attention_by_word(turn, 0, 2, 3)
    ours = [at for at, word in enumerate(turn.words_before(0)) if word.role != "template"]
    positions = [at for word in ours for at in range(*turn.words_before(0)[word].tokens) if at]
    assert head_grid(turn, 0, "max")[1, 2] == pytest.approx(row[positions].max(), abs=1e-6)
    assert len(shares)


def test_a_learned_sink_counts_as_parked() -> None:
    turn = lt.track(tiny_model("gpt_oss"), "What is it?", recipe="chat", max_new_tokens=2).turns[0]
    shares = attention_by_word(turn, 0, 2, 1)
    parked = shares["share"][shares["group"] == PARKED].sum()
    assert head_grid(turn, 0, "parked")[1, 0] == pytest.approx(parked, abs=1e-5)
    row = turn.trace.attention[0, 1, 0, : turn.trace.prompt_length].astype(float)
    whole = np.append(row[row > 0], 1 - row.sum())
    assert head_grid(turn, 0, "entropy")[1, 0] == pytest.approx(-(whole * np.log(whole)).sum(), abs=1e-4)


def test_layers_without_attention_have_no_cells() -> None:
    grid = np.array([[0.1, 0.4], [np.nan, np.nan], [0.3, np.nan]], dtype=np.float32)
    frame = heads_frame(grid)
    assert list(zip(frame["layer"], frame["head"], strict=True)) == [(1, 1), (1, 2), (3, 1)]
    best = ranked_heads(grid, 2)
    assert list(zip(best["layer"], best["head"], strict=True)) == [(1, 2), (3, 1)]


def test_a_word_is_found_in_the_conversation_and_first_of_all_in_what_was_said_last(turn: lt.Turn) -> None:
    everywhere = places_of(turn, 0, "paris")
    start, end = last_said(turn)
    assert len(everywhere) >= 2
    in_correction = named_places(turn, 0, "Paris")
    assert len(in_correction) == 1
    assert start <= in_correction[0][0] < end
    assert turn.prompt.text[turn.prompt.spans[start][0] :].lstrip().startswith("No.")
    assert len(named_places(turn, 0, "France")) == 1  # it stands in the question alone
    assert places_of(turn, 0, "capital is") != []
    assert places_of(turn, 0, "Madrid") == []  # of the worked examples


def test_what_is_parked_is_counted(turn: lt.Turn) -> None:
    parked, whole = count_parked(turn, 0)
    assert whole == turn.trace.prompt_length
    template = sum(role == "template" for role in turn.prompt.roles)
    assert parked == template + (turn.prompt.roles[0] != "template")


@pytest.mark.parametrize("measure", ["words", "parked", "entropy", "max"])
def test_of_a_step_past_the_budget_no_grid_is_made_up(turn: lt.Turn, measure: HeadMeasure) -> None:
    trace = turn.trace
    mean = trace.attention.mean(2)
    short = replace(turn, trace=replace(trace, attention=trace.attention[:1], attention_mean=mean))
    with pytest.raises(lt.InputError, match="Choose an earlier token"):
        head_grid(short, 2, measure)
    with pytest.raises(lt.InputError, match="There is no step 7: this answer has steps 0 to 2"):
        head_grid(turn, 7, measure)


def test_no_other_measure_is_taken_for_one_of_these(turn: lt.Turn) -> None:
    with pytest.raises(lt.InputError, match="There is no measure “mean”"):
        head_grid(turn, 0, "mean")  # type: ignore[arg-type]
