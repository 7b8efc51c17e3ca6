"""Charts of a study: a colour a model, zero on every one, intervals whole, and every text as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, drawn_texts, marks, of_kind, spec_of, texts_of_data, tokens_in_code

from llm_tracker.charts.palette import AFTER, BEFORE, LINE_COLOURS
from llm_tracker.charts.studies import estimates_chart, lens_chart, path_chart, turns_chart

NAN = float("nan")
WIDTH = 500


def estimates(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [dict(zip(("label", "model", "value", "low", "high"), row, strict=True)) | {"n": 9} for row in rows]
    )


def turns(models: list[str], kinds: tuple[str, ...] = ("regressive", "progressive")) -> pd.DataFrame:
    rows = [
        {"model": model, "kind": kind, "turn": turn, "n": 9, "rate": 0.5, "low": 0.2, "high": 0.8}
        for model in models
        for kind in kinds
        for turn in range(6)
    ]
    return pd.DataFrame(rows)


def by_layer(labels: dict[str, str], n_layers: int = 4) -> pd.DataFrame:
    rows = [
        {"condition": name, "label": label, "layer": layer, "lead": 1.0 * layer, "low": 0.5, "high": 6.0}
        for name, label in labels.items()
        for layer in range(1, n_layers + 1)
    ]
    return pd.DataFrame(rows)


def by_depth(shares: list[float]) -> pd.DataFrame:
    rows = [
        {"place": place, "depth": depth, "share": share, "low": share - 0.1, "high": share + 0.1, "n": 5}
        for place in ("named word", "words between", "answer slot")
        for depth, share in enumerate(shares)
    ]
    return pd.DataFrame(rows)


EACH = {
    "estimates": estimates_chart(estimates(("a", "M", 2.0, 1.0, 3.0), ("b", "M", 4.0, 3.0, 5.0)), "it"),
    "shares": estimates_chart(estimates(("a", "M", 0.5, 0.2, 0.8)), "it", is_share=True),
    "turns": turns_chart(turns(["M"])),
    "lens": lens_chart(by_layer({"asked_again": "again", "wrong_alternative": "named"})),
    "path": path_chart(by_depth([1.2, 0.4, 0.8])),
}


def drawn(chart: Any) -> dict[str, Any]:
    """What Vega draws, as a tree."""
    import vl_convert

    tree: dict[str, Any] = vl_convert.vegalite_to_scenegraph(spec_of(chart) | {"width": WIDTH})["scenegraph"]
    return tree


def within(item: Any) -> Iterator[dict[str, Any]]:
    """All parts of a tree."""
    if isinstance(item, dict):
        yield item
    for each in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
        yield from within(each)


def domain(chart: Any, axis: str) -> tuple[float, float]:
    """The outermost numbers on an axis."""
    orient = {"x": "bottom", "y": "left"}[axis]
    parts = [part for each in within(drawn(chart)) if each.get("orient") == orient for part in within(each)]
    texts = [item["text"] for part in parts if part.get("role") == "axis-label" for item in part["items"]]
    numbers = [float(text.replace("−", "-").replace("\N{NO-BREAK SPACE}%", "e-2")) for text in texts]
    return min(numbers), max(numbers)


@pytest.mark.parametrize("name", EACH)
def test_zero_is_on_every_chart(name: str) -> None:
    low, high = domain(EACH[name], "x" if name in ("estimates", "shares") else "y")
    assert low <= 0 < high
    if name in ("shares", "turns"):
        assert (low, high) == (0, 1)
    else:
        assert any(row == {"zero": 0.0} for mark in of_kind(EACH[name], "rule") for row in mark.rows)


@pytest.mark.parametrize("name", EACH)
def test_each_is_drawn_whole(name: str) -> None:
    texts = drawn_texts(EACH[name])
    assert texts
    assert [text for text in texts if "…" in text] == [], "no title and no label is cut"


def colours(chart: Any) -> dict[str, str]:
    scale = next(mark.encoding["color"]["scale"] for mark in marks(chart) if "scale" in mark.encoding.get("color", {}))
    return dict(zip(scale["domain"], scale["range"], strict=True))


@pytest.mark.parametrize("n", [2, 5])
def test_models_have_a_colour_each_the_same_in_all_charts_and_rows_high_enough(n: int) -> None:
    names = [f"M{at}" for at in range(n)]
    rows = [(label, name, 1.0, 0.5, 1.5) for label in "ab" for name in names]
    chart = estimates_chart(estimates(*rows), "it")
    assert colours(chart) == colours(turns_chart(turns(names))) == dict(zip(names, LINE_COLOURS, strict=False))
    assert len(set(colours(chart).values())) == n
    offsets = sorted({mark.look["yOffset"] for mark in of_kind(chart, "point")})
    row_pixels = (spec_of(chart)["height"] - 60) / 2
    assert len(offsets) == n
    assert offsets[-1] + 4 <= row_pixels / 2, "the last dot stays in its row"
    assert set(names) <= set(drawn_texts(chart))


def test_one_model_has_no_legend_and_the_colour_of_a_chart_alone() -> None:
    (point,) = of_kind(EACH["estimates"], "point")
    assert point.encoding["color"] == {"value": BEFORE}
    assert "M" not in drawn_texts(EACH["estimates"])


def test_an_interval_that_is_not_known_is_not_drawn_but_its_dot_is() -> None:
    chart = estimates_chart(estimates(("a", "M", 2.0, NAN, NAN), ("b", "M", 1.0, 0.5, 1.5)), "it")
    intervals, points = of_kind(chart, "rule")[1], of_kind(chart, "point")[0]
    assert intervals.column("label") == ["b"]
    assert points.column("label") == ["a", "b"]
    alone = estimates_chart(estimates(("a", "M", 2.0, NAN, NAN)), "it")
    assert drawn_texts(alone)


def test_the_longest_interval_is_in_the_picture() -> None:
    chart = estimates_chart(estimates(("a", "M", 1.0, -43.0, 91.0), ("b", "M", 0.0, -1.0, 1.0)), "it")
    rules = [part for part in within(drawn(chart)) if part.get("marktype") == "rule" and part.get("role") == "mark"]
    ends = [item[end] for part in rules for item in part["items"] for end in ("x", "x2") if end in item]
    assert len(ends) >= 4
    assert min(ends) >= 0
    assert max(ends) <= WIDTH


def test_rows_come_in_the_order_of_the_frame_each_name_once() -> None:
    chart = estimates_chart(estimates(*((label, model, 1.0, 0.0, 2.0) for model in "MN" for label in "zab")), "it")
    (names,) = of_kind(chart, "text")
    assert names.column("label") == ["z", "a", "b"]
    assert names.column("place") == [0, 1, 2]


def test_turns_of_one_model_are_coloured_by_the_first_answer_and_those_of_two_by_model() -> None:
    assert colours(EACH["turns"]) == {"right at first": BEFORE, "not right at first": AFTER}
    two = turns_chart(turns(["M", "N"]))
    assert of_kind(two, "line")[0].encoding["strokeDash"]["field"] == "first"
    assert {mark.rows[0]["model"] for mark in of_kind(two, "line")} == {"M", "N"}


def test_series_of_turns_stand_apart_and_turn_0_has_no_interval() -> None:
    chart = turns_chart(turns(["M", "N"]))
    offsets = [mark.look["xOffset"] for mark in of_kind(chart, "rule")]
    assert len(set(offsets)) == 4
    assert sum(offsets) == 0
    assert [mark.look["xOffset"] for mark in of_kind(chart, "line")] == offsets
    for mark in of_kind(chart, "rule"):
        assert mark.column("turn") == [1, 2, 3, 4, 5]
    for mark in of_kind(chart, "point"):
        assert mark.column("turn") == [0, 1, 2, 3, 4, 5]


def test_one_series_alone_can_be_drawn() -> None:
    assert drawn_texts(turns_chart(turns(["M"], ("progressive",))))
    assert drawn_texts(lens_chart(by_layer({"asked_again": "again"}, n_layers=1)))


def test_legends_are_as_strong_as_lines_and_have_room_for_long_names() -> None:
    long = "SmolLM2-135M-Instruct (float32), of a folder"
    for chart in (turns_chart(turns([long, "N"])), lens_chart(by_layer({"right": long})), EACH["path"]):
        legends = [mark.encoding["color"]["legend"] for mark in of_kind(chart, "line")]
        assert all(legend["symbolOpacity"] == 1 for legend in legends)
    assert long in drawn_texts(turns_chart(turns([long, "N"])))
    assert long in drawn_texts(estimates_chart(estimates(("a", long, 1, 0, 2), ("a", "N", 1, 0, 2)), "it"))


def test_conditions_of_the_lens_have_the_colours_of_their_turns() -> None:
    assert colours(EACH["lens"])["named"] == AFTER
    every = {name: name for name in ("baseline", "asked_again", "right", "wrong", "wrong_alternative")}
    assert len(set(colours(lens_chart(by_layer(every))).values())) == 5


def test_any_text_is_drawn_as_it_is_and_stands_in_no_expression() -> None:
    texts = list(NASTY_TOKENS)
    charts: list[alt.LayerChart] = [
        estimates_chart(estimates(*((text, other, 1.0, 0.0, 2.0) for text in texts for other in texts[:2])), "it"),
        turns_chart(turns(texts[:3])),
    ]
    for chart in charts:
        assert tokens_in_code(chart) == []
        assert drawn_texts(chart)
    assert set(texts) <= texts_of_data(charts[0])
