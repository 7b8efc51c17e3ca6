"""The Attention page: every cell, the ranking, weighed shares and the opened pattern, against plain transformers."""

from __future__ import annotations

import numpy as np
import pytest
from explore import ATTENTION, alts, computed
from recompute import Recomputed, word_places
from streamlit.testing.v1 import AppTest
from visitor import chart_rows, shown_html, told, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.on_demand import pattern_of, values_of
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.wording.formats import percent

AFTER = TurnRef(1, 1)


@pytest.fixture
def attention(engine: engines.Engine) -> AppTest:
    return told(engine, page=ATTENTION)


def grid(at: AppTest, chart: int) -> np.ndarray:
    """The cells of a grid: (layer, head)."""
    rows = [row for table in chart_rows(at, chart) for row in table if "size" in row and "head" in row]
    found = np.full((3, 4), np.nan)
    for row in rows:
        found[int(str(row["layer"])) - 1, int(str(row["head"])) - 1] = float(str(row["value"]))
    return found


def truth_of(engine: engines.Engine, turn: int) -> tuple[Recomputed, lt.Turn]:
    own = visitor(engine).sessions[1].turns[turn]
    return Recomputed(engine.models.loaded("embedded"), own), own


def london(turn: lt.Turn) -> list[int]:
    """The positions of the word that the correction names."""
    word = next(word for word in reversed(turn.prompt.words) if word.text.strip() == "London")
    return list(range(*word.tokens))


def test_a_cell_is_the_share_of_its_head_on_the_word_that_the_correction_names(
    engine: engines.Engine, attention: AppTest
) -> None:
    truth, turn = truth_of(engine, 1)
    expected = np.stack([truth.pattern(0, layer)[:, london(turn)].sum(-1) for layer in range(3)])
    np.testing.assert_allclose(grid(attention, 1), expected, atol=1e-5)
    assert attention.multiselect[0].value == ["London"]
    layer, head = np.unravel_index(expected.argmax(), expected.shape)
    assert f"layer {layer + 1}, head {head + 1} with {percent(float(expected.max()))}" in shown_html(attention)
    assert attention.number_input(key="opened layer").value == layer + 1


def test_one_selector_says_what_the_cells_say(engine: engines.Engine, attention: AppTest) -> None:
    truth, turn = truth_of(engine, 1)
    rows = np.stack([truth.pattern(0, layer) for layer in range(3)]).astype(float)
    parked = np.array([role == "template" for role in turn.prompt.roles])
    parked[0] = True
    expected = {
        "parked": rows[..., parked].sum(-1),
        "max": rows[..., ~parked].max(-1),
        "entropy": -(rows * np.log(np.where(rows > 0, rows, 1))).sum(-1),
    }
    at = attention
    for measure, values in expected.items():
        at = at.segmented_control(key="cells segments").set_value(measure).run()
        np.testing.assert_allclose(grid(at, 1), values, atol=1e-4)
    assert f"Parked are {int(parked.sum()):,} of {len(parked):,} positions" in shown_html(at)


def test_a_difference_is_after_minus_before(engine: engines.Engine, attention: AppTest) -> None:
    at = attention.segmented_control(key="cells segments").set_value("entropy").run()
    grids = [grid(at, 0), grid(at, 1)]
    at = at.segmented_control(key="arrangement of 4").set_value("difference").run()
    np.testing.assert_allclose(grid(at, 0), grids[1] - grids[0], atol=1e-5)
    assert alts(at)[0].startswith("Every head of every layer")
    assert "The head that changed most" in shown_html(at)


def test_other_words_can_be_chosen_and_none(engine: engines.Engine, attention: AppTest) -> None:
    truth, turn = truth_of(engine, 0)
    at = attention.multiselect[0].set_value(["is"]).run()
    word = next(word for word in turn.prompt.words if word.role == "user" and word.text.strip() == "is")
    expected = np.stack([truth.pattern(0, layer)[:, slice(*word.tokens)].sum(-1) for layer in range(3)])
    np.testing.assert_allclose(grid(at, 0), expected, atol=1e-5)
    at = at.multiselect[0].set_value([]).run()
    assert np.nansum(grid(at, 0)) == 0
    assert at.query_params["focus"] == ""


def test_shares_can_be_weighed_by_what_they_carry(engine: engines.Engine, attention: AppTest) -> None:
    at = attention.segmented_control(key="arrangement of 4").set_value("after").run()
    at = at.segmented_control(key="attention weighed").set_value("weighed").run()
    subject = values_of(AFTER, 0)
    at = computed(engine, at, subject)
    turn = visitor(engine).sessions[1].turns[1]
    weights = visitor(engine).computed[subject].by_head
    shares = weights / weights.sum(-1, keepdims=True)
    np.testing.assert_allclose(grid(at, 0), shares[..., london(turn)].sum(-1), atol=1e-5)
    assert "weighed by values" in shown_html(at)


def test_a_head_that_is_opened_shows_what_every_position_looked_at(engine: engines.Engine, attention: AppTest) -> None:
    at = attention.segmented_control(key="arrangement of 4").set_value("after").run()
    at = at.number_input(key="opened layer").set_value(2).run()
    at = at.number_input(key="opened head of 4").set_value(3).run()
    at = computed(engine, at, pattern_of(AFTER, 2, 3))
    truth, turn = truth_of(engine, 1)
    pattern = truth.patterns[1][2].numpy()
    at = at.segmented_control(key="pattern by").set_value("token").run()
    rows = [row for table in chart_rows(at, 1) for row in table if "size" in row and "query" in row]
    assert len({row["query"] for row in rows}) == 64
    for row in rows[::37]:
        assert row["value"] == pytest.approx(float(pattern[int(str(row["query"])), int(str(row["key"]))]), abs=1e-5)
    at = at.segmented_control(key="pattern by").set_value("word").run()
    places = word_places(turn)
    rows = [row for table in chart_rows(at, 1) for row in table if "size" in row and "query" in row]
    for row in rows[::37]:
        query, key = places[int(str(row["query"]))], places[int(str(row["key"]))]
        expected = pattern[slice(*query)].mean(0)[slice(*key)].sum()
        assert row["value"] == pytest.approx(float(expected), abs=1e-5)


def test_it_says_what_attention_is_not(attention: AppTest) -> None:
    assert "Attention is where a head looked, not why the model answered" in shown_html(attention)
