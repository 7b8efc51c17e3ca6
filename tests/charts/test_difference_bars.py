"""Bars around zero: each difference as it is, both signs on one scale, with every text as it is."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, Mark, drawn_texts, of_kind, texts_of_data, tokens_in_code

from llm_tracker.charts.attention import MOST_BARS, attention_differences_chart
from llm_tracker.charts.candidates import candidate_differences_chart
from llm_tracker.charts.difference_bars import difference_bars
from llm_tracker.charts.palette import AFTER, BEFORE
from llm_tracker.wording.formats import shown

NAN = float("nan")


def bars_of(chart: Any) -> Mark:
    (bars,) = of_kind(chart, "bar")
    return bars


@pytest.mark.parametrize(
    ("values", "most"), [([0.1, -0.4, 0.2], 0.4), ([-0.5, -0.1, 0.0], 0.5), ([0.0, 0.0, 0.0], 1), ([], 1)]
)
def test_it_is_centred_on_zero_with_both_signs_on_one_scale(values: list[float], most: float) -> None:
    labels = pd.Series(list("abc")[: len(values)], dtype=str)
    frame = pd.DataFrame({"label": labels, "value": pd.Series(values, dtype=float), "again": NAN})
    chart = difference_bars(frame, "it", [alt.Tooltip("label:N")])
    bars, (zero,) = bars_of(chart), of_kind(chart, "rule")
    assert bars.column("value") == values
    assert bars.column("place") == list(range(len(values)))
    assert bars.encoding["x"]["scale"]["domain"] == zero.encoding["x"]["scale"]["domain"] == [-most, most]
    assert zero.rows == [{"zero": 0}]
    assert bars.encoding["color"]["condition"] == {"test": "(datum.value > 0)", "value": AFTER}
    assert bars.encoding["color"]["value"] == BEFORE
    assert drawn_texts(chart)


def candidate_differences(tokens: list[str], values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "token_id": range(len(tokens)),
            "token": pd.Series(tokens, dtype=str),
            "prob_before": 0.5,
            "prob_after": pd.Series(values, dtype=float) + 0.5,
            "prob": pd.Series(values, dtype=float),
            "again": NAN,
        }
    )


def test_candidates_of_both_sides_have_a_bar_and_no_others() -> None:
    frame = candidate_differences(["a", " b", "c"], [0.3, -0.2, NAN])
    bars = bars_of(candidate_differences_chart(frame))
    assert [(row["label"], row["value"]) for row in bars.rows] == [("a", 0.3), ("·b", -0.2)]
    assert [each["field"] for each in bars.encoding["tooltip"]] == ["label", "prob_before", "prob_after", "again"]


def test_a_tick_stands_where_merely_asking_again_leads() -> None:
    frame = candidate_differences(["a", "b"], [0.3, -0.2]).assign(again=[-0.5, NAN])
    chart = candidate_differences_chart(frame)
    (ticks,) = of_kind(chart, "tick")
    assert [(row["label"], row["again"]) for row in ticks.rows] == [("a", -0.5)]
    assert bars_of(chart).encoding["x"]["scale"]["domain"] == [-0.5, 0.5]
    assert any("asked again" in text for text in drawn_texts(chart))
    assert not of_kind(candidate_differences_chart(frame.assign(again=NAN)), "tick")


def attention_differences(words: list[str], values: list[float]) -> pd.DataFrame:
    roles = ["" if word in ("parked", "recipe") else "user" for word in words]
    return pd.DataFrame(
        {
            "word": pd.Series(words, dtype=str),
            "role": pd.Series(roles, dtype=str),
            "group": pd.Series([role or word for word, role in zip(words, roles, strict=True)], dtype=str),
            "share_before": 0.5,
            "share_after": pd.Series(values, dtype=float) + 0.5,
            "share": pd.Series(values, dtype=float),
            "again": NAN,
        }
    )


def test_words_stand_in_reading_order_behind_what_is_parked() -> None:
    frame = attention_differences(["parked", "recipe", "b", "a"], [0.1, 0, -0.2, 0.1])
    bars = bars_of(attention_differences_chart(frame))
    assert bars.column("label") == ["parked", "worked examples", "b", "a"]
    assert bars.column("value") == [0.1, 0, -0.2, 0.1]


def test_of_a_long_text_the_words_that_differ_most_are_drawn_in_reading_order() -> None:
    values = [(-1) ** at * (at % 37) / 100 for at in range(80)]
    bars = bars_of(attention_differences_chart(attention_differences([f"w{at}" for at in range(80)], values)))
    assert len(bars.rows) == MOST_BARS
    places = [int(label[1:]) for label in bars.column("label")]
    assert places == sorted(places)
    assert min(abs(value) for value in bars.column("value")) >= sorted(map(abs, values))[-MOST_BARS]


def test_any_text_is_drawn_as_it_is_and_stands_in_no_expression() -> None:
    texts = list(NASTY_TOKENS)
    values = [0.1] * len(texts)
    for chart in (
        candidate_differences_chart(candidate_differences(texts, values)),
        attention_differences_chart(attention_differences(texts, values)),
    ):
        assert {shown(text) for text in texts} <= texts_of_data(chart)
        assert tokens_in_code(chart) == []
        assert {shown(text) for text in texts} <= set(drawn_texts(chart))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_one_row_or_none_can_be_drawn(n_rows: int) -> None:
    for chart in (
        candidate_differences_chart(candidate_differences(["a"], [0.1]).head(n_rows)),
        candidate_differences_chart(candidate_differences(["a"], [NAN]).head(n_rows)),
        attention_differences_chart(attention_differences(["a"], [0.1]).head(n_rows)),
    ):
        assert len(bars_of(chart).rows) <= n_rows
        assert drawn_texts(chart)
