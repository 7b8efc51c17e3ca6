"""What a study saw inside: means by layer and depth, Pandey's peak, and the jump of the named word, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from made_studies import heads, lens, path, row, study

from llm_tracker.studies.statistics.inside import (
    jump_summary,
    jumps,
    lens_by_layer,
    path_by_depth,
    peak_excess,
    traced,
)
from llm_tracker.studies.statistics.intervals import mean
from llm_tracker.studies.statistics.published import published_tables
from llm_tracker.studies.values.rows import Record, TableName
from llm_tracker.studies.values.tables import frame_of


def table(name: TableName, *rows: list[Record]) -> pd.DataFrame:
    return frame_of(name, [each for several in rows for each in several])


def pair(question: str, again: list[float], wrong: list[float], **changes: object) -> list[Record]:
    return lens(question, "asked_again", again, **changes) + lens(question, "wrong_alternative", wrong, **changes)


def test_the_lead_by_layer_is_the_mean_over_questions() -> None:
    found = lens_by_layer(table("lens", pair("a", [1, 2, 3], [0, 0, -4]), pair("b", [3, 2, 5], [0, 2, -6])), seed=4)
    by_condition = {name: own["lead"].tolist() for name, own in found.groupby("condition")}
    assert by_condition == {"asked_again": [2, 2, 4], "wrong_alternative": [0, 1, -5]}
    last = found.iloc[-1]
    whole = mean([-4, -6], seed=4)
    assert (last["n"], last["layer"], last["n_layers"], last["kl_nats"]) == (2, 3, 3, 0.5)
    assert (last["low"], last["high"]) == (whole.low, whole.high)
    assert lens_by_layer(frame_of("lens", [])).empty


def test_the_peak_and_its_excess_by_hand() -> None:
    rows = table("lens", pair("a", [0, 8, 6], [0, -12, -3]), pair("b", [0, 10, 6], [0, -10, -3]))
    (found,) = peak_excess(rows).to_dict("records")
    assert (found["peak_layer"], found["peak"], found["final"]) == (2, 20, 9)
    assert found["peak_excess"] == pytest.approx(100 * 11 / 9)
    assert (found["n"], found["n_layers"]) == (2, 3)


def test_the_papers_own_figures_give_its_excess() -> None:
    (found,) = peak_excess(table("lens", pair("a", [20.12, 8.87], [0, 0]))).to_dict("records")
    assert round(found["peak_excess"]) == 127
    (late,) = peak_excess(table("lens", pair("a", [0.5, 1.86], [0, 0]))).to_dict("records")
    assert (late["peak_layer"], late["peak_excess"]) == (2, 0), "a peak at the end has no excess"


@pytest.mark.parametrize("end", [0.0, 0.04, -0.04])
def test_of_hardly_any_difference_at_the_end_there_is_no_excess(end: float) -> None:
    (found,) = peak_excess(table("lens", pair("a", [3, end], [0, 0]))).to_dict("records")
    assert math.isnan(found["peak_excess"])
    assert (found["peak"], found["final"]) == (3, end)


def test_a_negative_end_is_measured_by_its_size() -> None:
    (found,) = peak_excess(table("lens", pair("a", [2, -4], [0, 0]))).to_dict("records")
    assert found["peak_excess"] == pytest.approx(100 * (2 - -4) / 4)


def test_the_peak_is_of_the_questions_that_have_both_conditions_and_are_asked_for() -> None:
    rows = table("lens", pair("a", [1, 1], [0, 0]), pair("b", [5, 5], [0, 0]), lens("c", "asked_again", [90, 90]))
    assert peak_excess(rows).iloc[0][["n", "peak"]].tolist() == [2, 3]
    assert peak_excess(rows, pd.Index(["b", "c"])).iloc[0][["n", "peak"]].tolist() == [1, 5]
    assert peak_excess(rows, pd.Index(["c"])).empty
    assert peak_excess(rows, pd.Index([])).empty
    assert peak_excess(table("lens", lens("a", "right", [1, 2]))).empty
    apart = table("lens", lens("a", "asked_again", [1, 2]), lens("b", "wrong_alternative", [1, 2]))
    assert peak_excess(apart).empty


def test_the_published_peak_is_of_the_questions_that_every_model_answered_right_at_first() -> None:
    rows = [
        row(question, "baseline", 1.0, model=name, before=before)
        for question, name, before in [
            ("a", "x", "answer"),
            ("a", "y", "answer"),
            ("b", "x", "answer"),
            ("b", "y", "foil"),
        ]
    ]
    inner = [each for question in "ab" for name in "xy" for each in pair(question, [2, 2], [0, 0], model=name)]
    (found,) = [each for each in published_tables(study(rows, lens=inner)) if each.name == "peak_excess"]
    assert found.frame[["model", "n"]].to_numpy().tolist() == [["x", 1], ["y", 1]]


def test_paths_are_means_with_the_middle_half() -> None:
    shares = [0.1, 0.3, 0.5, 0.9]
    rows = table("paths", *(path(f"q{at}", [1, each], [0, 1 - each]) for at, each in enumerate(shares)))
    found = path_by_depth(rows).set_index(["place", "depth"])
    word = found.loc[("named word", 1)]
    assert (word["share"], word["n"], word["n_layers"]) == (pytest.approx(0.45), 4, 1)
    assert (word["low"], word["high"]) == (np.quantile(shares, 0.25), np.quantile(shares, 0.75))
    assert found.loc[("answer slot", 1), "share"] == pytest.approx(0.55)
    assert set(found.loc["words between", "share"]) == {0}


UNTRACED: list[Record] = [{"question_id": "no", "model": "tiny", "dtype": "float32", "why_not": "they do not line up."}]


def test_what_could_not_be_traced_is_in_no_mean() -> None:
    rows = table("paths", UNTRACED, path("a", [1, 0.2], [0, 1]))
    assert set(traced(rows)["question_id"]) == {"a"}
    assert path_by_depth(rows)["n"].eq(1).all()
    assert traced(frame_of("paths", UNTRACED)).empty
    assert path_by_depth(frame_of("paths", UNTRACED)).empty


def jumps_of(word: list[float], slot: list[float], *more: list[Record]) -> pd.Series:
    return jumps(table("paths", path("a", word, slot)), table("heads", *more)).iloc[0]


@pytest.mark.parametrize(
    ("word", "slot", "until", "start"),
    [
        ([1, 1, 1, 0, 0], [0, 0, 0.2, 1, 1], 2, 3),
        ([1, 0.4, 0.6, 0, 0], [0, 0, 0.7, 0.3, 1], 2, 4),
        ([1, 1.2, 0.5, -0.4, 0], [0, -0.1, 0.5, 1.3, 1], 2, 2),
        ([1, 0, 0, 0, 0], [0, 1, 1, 1, 1], 0, 1),
        ([1, 1, 1, 1, 1], [0, 0, 0, 0, 0.4], 4, 5),
    ],
)
def test_where_the_jump_is_by_hand(word: list[float], slot: list[float], until: int, start: int) -> None:
    found = jumps_of(word, slot)
    assert (found["word_until"], found["slot_from"], found["n_layers"]) == (until, start, 4)
    assert found["effect_nats"] == 10


def test_rows_in_any_order_have_the_same_jump() -> None:
    rows = path("a", [1, 1, 0, 0], [0, 0.6, 0.2, 1])
    no_heads = frame_of("heads", [])
    assert jumps(frame_of("paths", rows), no_heads).equals(jumps(frame_of("paths", rows[::-1]), no_heads))


def test_the_first_head_is_of_those_that_were_chosen_and_not_of_those_by_chance() -> None:
    found = jumps_of([1, 0], [0, 1], heads("a", (2, 2, 0.9), is_random=True), heads("a", (3, 1, 0.4), (4, 2, 0.2)))
    assert (found["top_layer"], found["top_head"], found["top_share"]) == (3, 1, 0.4)
    assert math.isnan(found["top_attention"]), "no pattern could be read"


def test_a_model_without_heads_has_its_jumps() -> None:
    found = jump_summary(jumps(table("paths", path("a", [1, 0], [0, 1])), frame_of("heads", [])))
    assert found.iloc[0]["word_until"] == 0
    assert "top_layer" not in found
    mixed = jump_summary(
        jumps(
            table("paths", path("a", [1, 0], [0, 1]), path("a", [1, 0], [0, 1], model="big")),
            table("heads", heads("a", (1, 1, 0.5))),
        )
    )
    assert mixed["n_top"].fillna(0).tolist() == [1, 0]


def test_the_summary_has_layers_that_are_layers_and_the_commonest_head() -> None:
    starts = {"a": 1, "b": 2, "c": 4, "d": 4}
    paths = [
        path(name, [1, 1, 1, 0, 0], [float(depth >= start) for depth in range(5)]) for name, start in starts.items()
    ]
    first = [heads(name, (4, head, share)) for name, head, share in [("a", 1, 0.5), ("b", 2, 0.9), ("c", 1, 0.3)]]
    found = jump_summary(jumps(table("paths", *paths), table("heads", *first))).iloc[0]
    assert (found["n"], found["word_until"]) == (4, 2)
    assert (found["slot_low"], found["slot_from"], found["slot_high"]) == (1, 2, 4)
    assert (found["top_layer"], found["top_head"], found["n_top"]) == (4, 1, 2)
    assert found["top_share"] == pytest.approx(0.4)


def test_of_nothing_that_was_traced_nothing_is_said() -> None:
    for rows in ([], UNTRACED):
        assert jump_summary(jumps(frame_of("paths", rows), frame_of("heads", []))).empty
