"""The lead by relative depth: every value where it belongs, one scale for two charts, letters told apart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, of_kind, spec_of, tokens_in_code
from model_runs import OVER, WORD, leading, two_sizes

from llm_tracker.analysis.across_models.relative_depth import lead_by_depth
from llm_tracker.analysis.across_models.runs import named
from llm_tracker.charts.across_models.colours import MODEL_COLOURS
from llm_tracker.charts.across_models.lead import WIDE, lead_chart, lead_limits
from llm_tracker.charts.palette import TURN_COLOURS


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return lead_by_depth(two_sizes(), WORD, OVER)


def after(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["turn"] != "before"]


def drawn_lines(chart: Any) -> pd.DataFrame:
    """The rows of all lines, each once."""
    return pd.DataFrame([row for mark in of_kind(chart, "line") for row in mark.rows])


def test_every_layer_of_every_model_is_drawn_at_its_depth(frame: pd.DataFrame) -> None:
    own = after(frame)
    drawn = drawn_lines(lead_chart(own, WORD, OVER)).sort_values(["turn", "model", "layer"])
    expected = own.sort_values(["turn", "model", "layer"])
    assert drawn["depth"].tolist() == expected["depth"].tolist()
    assert drawn["lead"].tolist() == expected["lead"].tolist()


def test_the_depth_goes_from_nothing_to_all_and_the_value_shows_zero(frame: pd.DataFrame) -> None:
    low, high = lead_limits(frame)
    assert low < 0 < high
    assert low < frame["lead"].min()
    assert high > frame["lead"].max()
    for turn in ("before", "after"):
        chart = lead_chart(frame[frame["turn"] == turn], WORD, OVER, (low, high))
        encoding = of_kind(chart, "line")[0].encoding
        assert encoding["x"]["scale"]["domain"] == [0, 1]
        assert encoding["y"]["scale"]["domain"] == [low, high]


def test_leads_of_nothing_have_a_scale_too() -> None:
    flat = lead_by_depth(named([leading([0, 0], [0, 0])]), WORD, OVER)
    assert lead_limits(flat) == (-1, 1)
    spec_of(lead_chart(flat, WORD, OVER))


def test_the_control_is_dashed_and_thin_and_says_so(frame: pd.DataFrame) -> None:
    chart = lead_chart(after(frame), WORD, OVER)
    (dashed,) = [mark for mark in of_kind(chart, "line") if "strokeDash" in mark.look]
    assert {row["turn"] for row in dashed.rows} == {"again"}
    assert dashed.look["strokeWidth"] < 2
    assert "- - asked again" in {row.get("name") for mark in of_kind(chart, "text") for row in mark.rows}
    without = lead_chart(frame[frame["turn"] == "before"], WORD, OVER)
    assert all("strokeDash" not in mark.look for mark in of_kind(without, "line"))


def test_each_line_has_its_letter_at_its_end_no_two_on_each_other(frame: pd.DataFrame) -> None:
    same = lead_by_depth(named([leading([1, 2, 3], [1, 1, 1])] * 3), WORD, OVER)
    chart = lead_chart(same[same["turn"] == "before"], WORD, OVER)
    (ends,) = [mark for mark in of_kind(chart, "text") if "model" in mark.rows[0]]
    assert ends.column("model") == ["A", "B", "C"]
    places = sorted(ends.column("lead"))
    low, high = lead_limits(same[same["turn"] == "before"])
    assert all(above - below > 0.06 * (high - low) for below, above in pairwise(places))


def test_a_line_on_which_another_lies_is_wider(frame: pd.DataFrame) -> None:
    chart = lead_chart(frame[frame["turn"] == "before"], WORD, OVER, wide={"A"})
    widths = {row["model"]: mark.look["strokeWidth"] for mark in of_kind(chart, "line") for row in mark.rows}
    assert widths["A"] == WIDE > 2 * widths["B"]


def test_a_model_of_one_layer_is_a_point_that_can_be_seen() -> None:
    alone = lead_by_depth(named([leading([2], [1])]), WORD, OVER)
    chart = lead_chart(alone[alone["turn"] == "before"], WORD, OVER)
    (seen,) = [mark for mark in of_kind(chart, "point") if mark.look["opacity"] == 1]
    assert [(row["depth"], row["lead"]) for row in seen.rows] == [(1, 2)]


@pytest.mark.parametrize("token", NASTY_TOKENS)
def test_words_are_no_code(frame: pd.DataFrame, token: str) -> None:
    assert tokens_in_code(lead_chart(after(frame).assign(name=token), token, token)) == []


def test_every_model_has_a_colour_of_its_own_that_is_no_turns() -> None:
    assert len(set(MODEL_COLOURS.values())) == len(MODEL_COLOURS) == 8
    assert not set(MODEL_COLOURS.values()) & set(TURN_COLOURS.values())
