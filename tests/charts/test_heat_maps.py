"""Maps of cells: positions, heads and patterns, each cell with its number, on one scale, with every text as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, Mark, drawn_texts, marks, of_kind, spec_of, texts_of_data, tokens_in_code

from llm_tracker.charts.heads import heads_chart, pattern_chart
from llm_tracker.charts.heat import FAINTEST, PICK, Colours, colours_of, label_room, shortened
from llm_tracker.charts.palette import AFTER, BEFORE, QUIET
from llm_tracker.charts.positions import positions_chart
from llm_tracker.wording.formats import shown

SHARE = Colours("share", 0, 1, ".0%")
NAN = float("nan")


def map_frame(tokens: list[str], n_layers: int = 2, first: int = 7) -> pd.DataFrame:
    """A stretch of a map, from position `first` on, with all that the map of one answer has."""
    cells = [(layer, at) for layer in range(1, n_layers + 1) for at in range(len(tokens))]
    numbers = np.arange(len(cells)) / 10
    return pd.DataFrame(
        {
            "layer": [layer for layer, _ in cells],
            "position": [first + at for _, at in cells],
            "token": [tokens[at] for _, at in cells],
            "best": [tokens[-1 - at] for _, at in cells],
            "best_prob": numbers / 2,
            "next_prob": numbers / 3,
            "entropy_nats": numbers * 2,
            "kl_nats": numbers * 3,
            "value": numbers,
        }
    )


def cells_of(chart: Any) -> tuple[Mark, Mark | None]:
    """The cells that a map draws, and those of what is missing."""
    filled = [mark for mark in of_kind(chart, "rect") if mark.look.get("filled") is not False]
    known = next(mark for mark in filled if "opacity" in mark.encoding)
    missing = [mark for mark in filled if "opacity" not in mark.encoding]
    return known, missing[0] if missing else None


def outlines_of(chart: Any) -> list[dict[str, Any]]:
    return [row for mark in of_kind(chart, "rect") if mark.look.get("filled") is False for row in mark.rows]


def test_a_map_has_a_cell_for_each_layer_and_position_with_the_number_that_it_was_given() -> None:
    frame = map_frame(["a", "b"])
    known, missing = cells_of(positions_chart(frame, SHARE))
    assert [(row["layer"], row["position"], row["value"]) for row in known.rows] == [
        (1, 7, 0.0), (1, 8, 0.1), (2, 7, 0.2), (2, 8, 0.3),
    ]  # fmt: skip
    assert missing is None
    assert known.encoding["y"]["sort"] == "descending", "layer 1 is at the bottom"


@pytest.mark.parametrize("text", NASTY_TOKENS)
def test_any_token_of_a_map_is_drawn_as_it_is(text: str) -> None:
    chart = positions_chart(map_frame([text, "b"]), SHARE)
    known, _ = cells_of(chart)
    (labels,) = of_kind(chart, "text")
    assert labels.column("token") == [shortened(shown(text)), "b"]
    assert {row["token"] for row in known.rows} == {row["best"] for row in known.rows} == {shown(text), "b"}
    spec = spec_of(chart)
    del spec["datasets"]
    assert "labelExpr" not in str(spec)
    assert text not in str(spec) or text in ("if", "'", "event")


def test_no_token_of_any_heat_map_stands_in_an_expression_and_all_are_to_be_read() -> None:
    texts = list(NASTY_TOKENS)
    pairs = [(query, key) for query in range(len(texts)) for key in range(query + 1)]
    pattern = pd.DataFrame(
        {
            "query": [query for query, _ in pairs],
            "key": [key for _, key in pairs],
            "query_text": [texts[query] for query, _ in pairs],
            "key_text": [texts[key] for _, key in pairs],
            "parked": False,
            "value": 0.5,
        }
    )
    for chart in (positions_chart(map_frame(texts), SHARE), pattern_chart(pattern, SHARE)):
        assert {shown(text) for text in texts} <= texts_of_data(chart)
        assert tokens_in_code(chart) == []
        assert {shortened(shown(text)) for text in texts} <= set(drawn_texts(chart))


@pytest.mark.parametrize("word", [text for text in NASTY_TOKENS if "\n" not in text])
def test_a_meaning_with_any_word_in_it_leaves_the_map_whole(word: str) -> None:
    """What colours mean is the key of a tooltip, and so within an expression: the word has to be escaped there."""
    texts = drawn_texts(positions_chart(map_frame(["a", "b"]), Colours(f"lead of “{word}”", 0, 1)))
    assert f"lead of “{word}”" in texts
    assert {"a", "b", "layer"} <= set(texts)


def test_the_tooltip_says_what_the_colour_shows_and_what_else_is_known_of_a_cell() -> None:
    known, _ = cells_of(positions_chart(map_frame(["a", "b"]), Colours("probability of “if”", 0, 1, ".0%")))
    told = {each["field"]: (each.get("title"), each.get("format")) for each in known.encoding["tooltip"]}
    assert told["value"] == ("probability of “if”", ".0%")
    assert list(told) == ["token", "layer", "value", "best", "best_prob", "next_prob", "entropy_nats", "kl_nats"]
    plain = map_frame(["a", "b"])[["layer", "position", "token", "value"]]
    known, _ = cells_of(positions_chart(plain, SHARE))
    assert [each["field"] for each in known.encoding["tooltip"]] == ["token", "layer", "value"]


def test_a_map_marks_where_the_answer_begins_and_outlines_the_chosen_cell() -> None:
    chart = positions_chart(map_frame(["a", "b"]), SHARE, {8: "answer", 99: "thought"}, (2, 8))
    (rule,) = of_kind(chart, "rule")
    assert rule.rows == [{"position": 8, "begins": "answer"}], "what lies outside of what is drawn has no mark"
    assert [mark.rows for mark in of_kind(chart, "text") if "begins" in mark.rows[0]] == [rule.rows]
    assert outlines_of(chart) == [{"layer": 2, "position": 8}]
    assert outlines_of(positions_chart(map_frame(["a"]), SHARE, {}, (2, 99))) == []
    assert "answer" in drawn_texts(chart)


def test_a_click_picks_layer_and_position_or_layer_and_head_or_the_query() -> None:
    heads = pd.DataFrame({"layer": [1], "head": [2], "value": [0.1]})
    charts = {
        ("layer", "position"): positions_chart(map_frame(["a"]), SHARE),
        ("layer", "head"): heads_chart(heads, SHARE),
        ("query",): pattern_chart(pattern_frame(2), SHARE),
    }
    for fields, chart in charts.items():
        (pick,) = chart.to_dict()["params"]
        assert (pick["name"], tuple(pick["select"]["fields"]), pick["select"]["toggle"]) == (PICK, fields, False)


def pattern_frame(n_places: int) -> pd.DataFrame:
    rows = [(query, key, 1 / (query + 1)) for query in range(n_places) for key in range(query + 1)]
    frame = pd.DataFrame(rows, columns=["query", "key", "value"])
    texts = {name: frame[name.removesuffix("_text")].map("ab".__getitem__) for name in ("query_text", "key_text")}
    return frame.assign(parked=frame["key"] == 0, **texts)


@pytest.mark.parametrize("values", [[0.2, -0.5, 0.0, 0.4], [-3.0, -1.0, -2.0, -0.1]])
def test_a_difference_is_centred_on_zero_with_both_signs_on_one_scale(values: list[float]) -> None:
    frame = map_frame(["a", "b"]).assign(value=values)
    colours = colours_of(frame["value"], "difference", is_difference=True)
    known, _ = cells_of(positions_chart(frame, colours))
    largest = max(map(abs, values))
    assert known.column("value") == values
    assert known.column("size") == [abs(value) for value in values]
    assert known.encoding["opacity"]["scale"]["domain"] == [0, largest]
    assert known.encoding["opacity"]["scale"]["range"] == [0, 1]
    signs = known.encoding["color"]["scale"]
    assert (signs["domain"], signs["range"]) == (["more before", "more after"], [BEFORE, AFTER])
    assert [row["sign"] for row in known.rows if row["value"]] == [
        "more after" if value > 0 else "more before" for value in values if value
    ]
    named = cells_of(positions_chart(frame, replace(colours, signs=("the second", "the first"))))[0]
    assert named.encoding["color"]["scale"]["domain"] == ["the second", "the first"]


def test_what_is_missing_has_a_pale_cell_of_its_own() -> None:
    frame = map_frame(["a", "b"]).assign(value=[0.1, NAN, NAN, 0.2])
    known, missing = cells_of(positions_chart(frame, SHARE))
    assert known.column("value") == [0.1, 0.2]
    assert missing is not None
    assert [(row["layer"], row["position"]) for row in missing.rows] == [(1, 8), (2, 7)]
    assert (missing.look["color"], missing.look["opacity"]) == (QUIET, pytest.approx(0.12))
    assert "tooltip" not in missing.encoding, "it says nothing"


def test_where_everything_is_missing_the_map_is_pale_and_whole() -> None:
    frame = map_frame(["a", "b"]).assign(value=NAN)
    chart = positions_chart(frame, colours_of(frame["value"], "difference", is_difference=True))
    known, missing = cells_of(chart)
    assert known.rows == []
    assert missing is not None
    assert len(missing.rows) == 4
    assert drawn_texts(chart)


def test_of_ranks_the_best_has_the_strongest_colour_on_a_logarithmic_scale() -> None:
    frame = map_frame(["a", "b"]).assign(value=[1.0, 10.0, 100.0, 1000.0])
    known, _ = cells_of(positions_chart(frame, Colours("rank", 1, 1000, ",.0f", is_logarithmic=True)))
    scale = known.encoding["opacity"]["scale"]
    assert (scale["type"], scale["domain"], scale["range"]) == ("log", [1, 1000], [1, FAINTEST])
    assert known.encoding["opacity"]["legend"]["values"] == pytest.approx([1, 1000**0.5, 1000])


@pytest.mark.parametrize("values", [[], [0.0], [NAN, NAN], [0.0, NAN]])
def test_colours_of_nothing_still_have_a_scale(values: list[float]) -> None:
    colours = colours_of(pd.Series(values, dtype=float), "it")
    assert (colours.low, colours.high) == (0, 1)


def test_every_head_has_a_cell_and_the_chosen_one_or_its_whole_layer_an_outline() -> None:
    frame = pd.DataFrame({"layer": [1, 1, 3, 3], "head": [1, 2, 1, 2], "value": [0.1, 0.2, 0.3, 0.4]})
    known, missing = cells_of(heads_chart(frame, SHARE))
    assert [(row["layer"], row["head"], row["value"]) for row in known.rows] == list(frame.itertuples(index=False))
    assert missing is None
    assert outlines_of(heads_chart(frame, SHARE)) == []
    assert outlines_of(heads_chart(frame, SHARE, (3, 2))) == [{"layer": 3, "head": 2}]
    assert outlines_of(heads_chart(frame, SHARE, (3, None))) == [{"layer": 3, "head": 1}, {"layer": 3, "head": 2}]
    assert outlines_of(heads_chart(frame, SHARE, (2, None))) == [], "a layer without attention has no head to outline"


def test_a_pattern_has_a_cell_for_each_query_and_what_it_could_see() -> None:
    frame = pattern_frame(2)
    chart = pattern_chart(frame, SHARE, 1)
    known, _ = cells_of(chart)
    assert [(row["query"], row["key"], row["value"]) for row in known.rows] == [(0, 0, 1.0), (1, 0, 0.5), (1, 1, 0.5)]
    assert known.column("kind") == ["parked", "parked", "not parked"]
    kinds = known.encoding["color"]["scale"]
    assert (kinds["domain"], kinds["range"]) == (["not parked", "parked"], [BEFORE, QUIET])
    assert outlines_of(chart) == [{"query": 1}]
    assert outlines_of(pattern_chart(frame, SHARE, 9)) == []
    keys, queries = of_kind(chart, "text")
    assert (keys.column("key_text"), queries.column("query_text")) == (["a", "b"], ["a", "b"])
    assert queries.encoding["y"]["sort"] == known.encoding["y"]["sort"] == "ascending", "downwards, as one reads"


@pytest.mark.parametrize("n_rows", [0, 1])
def test_a_heat_map_of_no_cell_or_of_one_can_be_drawn(n_rows: int) -> None:
    heads = pd.DataFrame({"layer": [1], "head": [1], "value": [0.1]})
    for chart in (
        positions_chart(map_frame(["a"]).head(n_rows), SHARE, {7: "answer"}, (1, 7)),
        heads_chart(heads.head(n_rows), SHARE, (1, None)),
        pattern_chart(pattern_frame(1).head(n_rows), SHARE, 0),
    ):
        known, _ = cells_of(chart)
        assert len(known.rows) == n_rows
        assert marks(chart)


def test_a_label_is_cut_and_has_its_room() -> None:
    assert shortened("averyverylongword") == "averyverylong…"
    assert shortened("fourteen chars") == "fourteen chars"
    assert label_room(pd.Series(["a", "abc"])) > label_room(pd.Series(["a"])) > label_room(pd.Series([], dtype=str)) > 0


def test_where_a_map_is_narrow_labels_are_left_out_by_halves() -> None:
    (labels,) = [mark for mark in of_kind(positions_chart(map_frame(list("abcdef")), SHARE), "text") if mark.rows]
    opacity = labels.encoding["opacity"]
    assert opacity["condition"] == {"test": "(width >= (6 * datum.least))", "value": 1} or (
        opacity["condition"]["test"] == "width >= 6 * datum.least"
    )
    assert opacity["value"] == 0
    assert labels.column("least") == [0, 9, 4.5, 9, 0, 9]
