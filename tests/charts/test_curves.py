"""Lines through the layers: every token's numbers as they are, its name at its line, and what the lens is worth."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, Mark, drawn_texts, marks, of_kind, texts_of_data, tokens_in_code

from llm_tracker.analysis.curves import COLUMNS, CurveMeasure
from llm_tracker.charts.curves import curve_differences_chart, curves_chart, limits_of
from llm_tracker.charts.layers import layers_chart
from llm_tracker.charts.palette import LINE_COLOURS, QUIET
from llm_tracker.wording.formats import shown

NAN = float("nan")
MEASURES = get_args(CurveMeasure)
QUALITY = pd.DataFrame({"layer": [1, 2, 3], "kl_nats": [5.0, 2.0, 0.0], "entropy_nats": [1.0, 2.0, 3.0]})
NO_QUALITY = QUALITY.head(0)


def line(name: str, token_id: int, kind: str, probs: list[float]) -> pd.DataFrame:
    n_layers = len(probs)
    return pd.DataFrame(
        {
            "line": name,
            "token_id": token_id,
            "token": name,
            "kind": kind,
            "layer": range(1, n_layers + 1),
            "prob": probs,
            "logit": [NAN] * n_layers if kind == "written" else [10 * prob - 4 for prob in probs],
            "rank": [NAN] * n_layers if kind == "leading" else [float(at + 1) for at in range(n_layers)],
        }
    )


@pytest.fixture
def frame() -> pd.DataFrame:
    lines = [
        line("Paris", 7, "word", [0.1, 0.2, 0.9]),
        line(" Lyon", 8, "written", [0.0, 0.1, 0.05]),
        line("the", 9, "leading", [0.6, 0.3, 0.0]),
        line("of", 10, "leading", [0.2, 0.4, 0.01]),
    ]
    return pd.concat(lines, ignore_index=True)


def lines_of(chart: Any) -> list[Mark]:
    return of_kind(chart, "line")


@pytest.mark.parametrize("measure", MEASURES)
def test_every_line_has_the_values_of_its_token(frame: pd.DataFrame, measure: CurveMeasure) -> None:
    leading, named = lines_of(curves_chart(frame, measure, QUALITY))
    drawn = {(row["token_id"], row["layer"]): row["value"] for row in [*leading.rows, *named.rows]}
    known = frame[frame[measure].notna()]
    assert drawn == dict(zip(zip(known["token_id"], known["layer"], strict=True), known[measure], strict=True))
    assert {row["kind"] for row in leading.rows} <= {"leading"}
    assert {row["kind"] for row in named.rows} <= {"word", "written"}
    assert leading.look["color"] == QUIET
    assert leading.encoding["detail"]["field"] == named.encoding["detail"]["field"] == "token_id"


def test_a_named_line_has_a_colour_and_its_name_at_its_end(frame: pd.DataFrame) -> None:
    chart = curves_chart(frame, "prob", QUALITY)
    scale = lines_of(chart)[1].encoding["color"]["scale"]
    assert (scale["domain"], scale["range"]) == (["Paris", "·Lyon"], list(LINE_COLOURS[:2]))
    (ends,) = [mark for mark in of_kind(chart, "text") if mark.look.get("fontWeight") == "bold"]
    assert ends.column("name") == ["Paris", "·Lyon"]
    assert ends.column("value") == pytest.approx([0.9, 0.05])
    assert set(ends.column("layer")) == {3}


def test_names_of_lines_that_end_together_are_moved_apart() -> None:
    frame = pd.concat([line(name, at, "word", [0.1, 0.5]) for at, name in enumerate("abc")], ignore_index=True)
    (ends,) = [mark for mark in of_kind(curves_chart(frame, "prob", NO_QUALITY), "text") if "fontWeight" in mark.look]
    values = sorted(ends.column("value"))
    assert [b - a for a, b in pairwise(values)] == pytest.approx([0.06, 0.06])


def test_more_lines_than_colours_go_round() -> None:
    frame = pd.concat([line(f"w{at}", at, "word", [0.1, 0.2]) for at in range(10)], ignore_index=True)
    scale = lines_of(curves_chart(frame, "prob", NO_QUALITY))[1].encoding["color"]["scale"]
    assert scale["range"] == [*LINE_COLOURS, *LINE_COLOURS[:2]]


def test_a_leading_token_is_named_where_it_is_highest_and_no_two_at_one_layer(frame: pd.DataFrame) -> None:
    peaks = [mark for mark in of_kind(curves_chart(frame, "prob", QUALITY), "text") if mark.look.get("dy") == -7]
    assert [(row["name"], row["layer"]) for row in peaks[0].rows] == [("the", 1), ("of", 2)]


@pytest.mark.parametrize(
    ("measure", "domain"), [("prob", [0, 1]), ("rank", [1, 3.0]), ("logit", [-4.0, pytest.approx(5.45)])]
)
def test_the_axis_shows_all_values_and_the_zero_of_logits(
    frame: pd.DataFrame, measure: CurveMeasure, domain: list[float]
) -> None:
    scale = lines_of(curves_chart(frame, measure, QUALITY))[0].encoding["y"]["scale"]
    assert scale["domain"] == domain
    assert (scale.get("type"), scale.get("reverse")) == (("log", True) if measure == "rank" else (None, None))


def test_charts_that_stand_beside_each_other_have_the_ends_that_they_are_given(frame: pd.DataFrame) -> None:
    ends: tuple[tuple[CurveMeasure, tuple[float, float]], ...] = (("logit", (-9, 9)), ("rank", (1, 999)))
    for measure, limits in ends:
        drawn = lines_of(curves_chart(frame, measure, QUALITY, limits=limits))[0]
        assert drawn.encoding["y"]["scale"]["domain"] == list(limits)


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [NAN]])
@pytest.mark.parametrize("measure", MEASURES)
def test_the_ends_of_an_axis_are_never_the_same(measure: CurveMeasure, values: list[float]) -> None:
    low, high = limits_of(pd.DataFrame({measure: pd.Series(values, dtype=float)}), measure)
    assert low < high


def test_the_ribbon_is_darker_where_the_lens_says_less(frame: pd.DataFrame) -> None:
    (ribbon,) = of_kind(curves_chart(frame, "prob", QUALITY), "rect")
    assert ribbon.column("kl_nats") == [5, 2, 0]
    assert ribbon.encoding["opacity"]["field"] == "kl_nats"
    assert [(row["start"], row["end"]) for row in ribbon.rows] == [(1, 1.5), (1.5, 2.5), (2.5, 3)]
    assert of_kind(curves_chart(frame, "prob", NO_QUALITY), "rect") == []


def test_the_layer_from_which_on_the_likeliest_token_stays_has_a_line_and_its_words(frame: pd.DataFrame) -> None:
    chart = curves_chart(frame, "prob", QUALITY, 2)
    (rule,) = of_kind(chart, "rule")
    assert rule.rows == [{"layer": 2, "name": "stays from layer 2 on"}]
    assert "stays from layer 2 on" in drawn_texts(chart)
    assert of_kind(curves_chart(frame, "prob", QUALITY, None), "rule") == []


def test_any_token_is_drawn_as_it_is_and_stands_in_no_expression() -> None:
    texts = list(NASTY_TOKENS)
    lines = [line(text, at, ("word", "leading")[at % 2], [0.1 * at, 0.05 * at]) for at, text in enumerate(texts)]
    frame = pd.concat(lines, ignore_index=True)
    differences = pd.concat(
        [
            pd.DataFrame({"turn": "difference", "line": text, "layer": [1, 2], "prob": 0.1, "logit": 1.0, "rank": 1.0})
            for text in texts
        ]
    )
    for chart in (curves_chart(frame, "prob", NO_QUALITY), curve_differences_chart(differences, "prob")):
        assert {shown(text) for text in texts} <= texts_of_data(chart)
        assert tokens_in_code(chart) == []
    assert {shown(text) for text in texts} <= {text for text in drawn_texts(chart) if not text.endswith("…")} | {
        shown("$x^2$ **bold** :red[x]")  # too long for its place
    }


@pytest.mark.parametrize("measure", MEASURES)
def test_of_one_layer_and_of_no_line_there_is_a_chart_too(measure: CurveMeasure) -> None:
    for frame in (line("a", 1, "word", [0.5]), line("a", 1, "leading", [0.5]), pd.DataFrame(columns=list(COLUMNS))):
        chart = curves_chart(frame, measure, NO_QUALITY, None)
        assert len(marks(chart)) > 3
        assert lines_of(chart)[0].encoding["x"]["scale"]["domain"] == [1, 2]


def test_the_tooltip_has_the_numbers_that_the_frame_has(frame: pd.DataFrame) -> None:
    def told(chart: Any) -> list[str]:
        return [each["field"] for each in of_kind(chart, "point")[0].encoding["tooltip"]]

    assert told(curves_chart(frame, "prob", QUALITY)) == ["name", "layer", "prob", "logit", "rank"]
    of_one = pd.DataFrame({"turn": "difference", "line": "a", "layer": [1, 2], "prob": [0.1, -0.1]})
    assert told(curve_differences_chart(of_one, "prob")) == ["name", "layer", "prob"]


@pytest.mark.parametrize(("values", "most"), [([0.1, -0.4, 0.2], 0.4), ([0.5, 0.0, 0.1], 0.5), ([0.0, 0.0, 0.0], 1)])
def test_a_difference_is_centred_on_zero_with_both_signs_on_one_scale(values: list[float], most: float) -> None:
    numbers = {"prob": values, "logit": values, "rank": values}
    frame = pd.DataFrame({"turn": "difference", "line": "a", "layer": [1, 2, 3], **numbers})
    for measure in MEASURES if most == 1 else MEASURES[:1]:
        chart = curve_differences_chart(frame, measure)
        (drawn,) = lines_of(chart)
        assert drawn.column("value") == values
        assert drawn.encoding["y"]["scale"]["domain"] == [-most, most]
        assert of_kind(chart, "rule")[0].rows == [{"zero": 0}]


def test_merely_asking_again_is_dashed_and_widens_the_scale() -> None:
    rows = {"line": "a", "layer": [1, 2], "logit": 0.0, "rank": 0.0}
    after, again = (
        pd.DataFrame({"turn": turn, "prob": probs, **rows})
        for turn, probs in (("difference", [0.1, 0.2]), ("again", [0.3, -0.4]))
    )
    chart = curve_differences_chart(pd.concat([after, again]), "prob")
    solid, dashed = lines_of(chart)
    assert solid.column("value") == [0.1, 0.2]
    assert dashed.column("value") == [0.3, -0.4]
    assert dashed.look["strokeDash"] == [5, 3]
    assert solid.encoding["y"]["scale"]["domain"] == [-0.4, 0.4]
    assert any("asked again" in text for text in drawn_texts(chart))
    assert not any("asked again" in text for text in drawn_texts(curve_differences_chart(after, "prob")))


def test_a_difference_without_a_word_is_an_empty_chart() -> None:
    chart = curve_differences_chart(pd.DataFrame(columns=["turn", "line", "layer", "prob", "logit", "rank"]), "prob")
    assert lines_of(chart)[0].rows == []
    assert lines_of(chart)[0].encoding["y"]["scale"]["domain"] == [-1, 1]


@pytest.mark.parametrize("measure", ["lead", "prob", "rank"])
def test_a_word_that_was_read_on_no_side_is_an_empty_chart_of_layers(measure: Any) -> None:
    chart = layers_chart(pd.DataFrame(columns=["turn", "layer", "value"]), measure, "a", "b")
    assert lines_of(chart)[0].rows == []
    assert drawn_texts(chart)
