"""The sentences on heads: which looks most, how all are on average, what changed; also of equal heads and of none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llm_tracker.wording.heads import (
    MEASURE_LABELS,
    NOT_A_CAUSE,
    differences_sentence,
    heads_sentence,
    measured,
    parked_count,
    pattern_differences_sentence,
    pattern_sentence,
)

NAN = float("nan")
NOTHING_KEPT = "Of this stretch nothing was kept: of a very long text only the last positions' patterns are."
GRID = np.array([[0.1, 0.4], [0.75, NAN]], dtype=np.float32)


@pytest.mark.parametrize(
    ("measure", "words", "sentence"),
    [
        (
            "words",
            ["Paris", "Rome"],
            "Most on “Paris” and “Rome”: layer 2, head 1 with 75 %; over all heads the mean is 42 %.",
        ),
        ("words", [], "None of the chosen words stands in this text."),
        ("parked", [], "1 of 3 heads park more than half; the mean is 42 %, most is layer 2, head 1."),
        (
            "entropy",
            [],
            "The most spread out is layer 2, head 1 with 0.75 nats; the most pointed is layer 1, head 1 with "
            "0.10 nats.",
        ),
        ("max", [], "The largest share of one token that is not parked: 75 %, in layer 2, head 1."),
    ],
)
def test_it_says_which_head_is_ahead(measure: str, words: list[str], sentence: str) -> None:
    assert heads_sentence(GRID, measure, words) == sentence  # type: ignore[arg-type]


@pytest.mark.parametrize("measure", MEASURE_LABELS)
def test_of_equal_heads_the_first_is_named_and_of_none_that_there_is_none(measure: str) -> None:
    even = np.full((2, 2), 0.25, dtype=np.float32)
    assert "layer 1, head 1" in heads_sentence(even, measure, ["a"])  # type: ignore[arg-type]
    nothing = np.full((2, 2), NAN, dtype=np.float32)
    assert heads_sentence(nothing, measure, ["a"]) == "This model has no attention heads."  # type: ignore[arg-type]
    assert differences_sentence(nothing, measure) == "No head differs between the two."  # type: ignore[arg-type]


def test_one_head_alone_is_named() -> None:
    one = np.array([[0.0004]], dtype=np.float32)
    assert heads_sentence(one, "words", ["a"]) == (
        "Most on “a”: layer 1, head 1 with under 0.1 %; over all heads the mean is under 0.1 %."
    )


@pytest.mark.parametrize(
    ("values", "share", "entropy"),
    [
        ([0.1, -0.4], "layer 1, head 2: −40 points.", "layer 1, head 2: −0.40 nats."),
        ([0.01, 0.0], "layer 1, head 1: +1 point.", "layer 1, head 1: +0.01 nats."),
        ([0.0, 0.0], "No head differs between the two.", "No head differs between the two."),
        ([1e-4, -1e-5], "No head differs by a point between the two.", "No head differs by 0.01 nats between the two."),
        ([NAN, 0.5], "layer 1, head 2: +50 points.", "layer 1, head 2: +0.50 nats."),
    ],
)
def test_the_head_that_changed_most_is_named_or_that_none_did(values: list[float], share: str, entropy: str) -> None:
    grid = np.array([values], dtype=np.float32)
    assert differences_sentence(grid, "words").removeprefix("The head that changed most is ") == share
    assert differences_sentence(grid, "entropy").removeprefix("The head that changed most is ") == entropy


def test_a_cell_is_a_share_or_nats() -> None:
    assert measured("entropy", 1.26) == "1.3 nats"
    assert [measured(measure, 0.25) for measure in ("words", "parked", "max")] == ["25 %"] * 3


def test_what_is_parked_is_counted_and_attention_is_no_cause() -> None:
    assert parked_count(12, 1234).startswith("Parked are 12 of 1,234 positions: ")
    assert "not why the model answered" in NOT_A_CAUSE


def pattern(*rows: tuple[int, int, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["query", "key", "value"])
    texts = {"query_text": [f" w{at}" for at in frame["query"]], "key_text": [f"w{at}" for at in frame["key"]]}
    return frame.assign(parked=False, **texts)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([(0, 0, 1.0), (1, 0, 0.3), (1, 1, 0.7)], "Of what is drawn, “w1” looked most at “w0”: 30 %."),
        ([(1, 0, 0.3), (2, 0, 0.3)], "Of what is drawn, “w1” looked most at “w0”: 30 %."),
        ([(1, 0, NAN), (2, 1, 0.0)], "Of what is drawn, “w2” looked most at “w1”: 0 %."),
        ([(0, 0, 1.0)], "There is no other place to look at that is not parked."),
        ([(0, 0, 1.0), (1, 0, NAN)], "There is no other place to look at that is not parked."),
        ([(1, 0, NAN)], NOTHING_KEPT),
        ([], NOTHING_KEPT),
    ],
)
def test_a_pattern_says_which_place_looked_most_at_another(rows: list[tuple[int, int, float]], sentence: str) -> None:
    assert pattern_sentence(pattern(*rows)) == sentence


def test_a_pattern_counts_what_is_parked_and_looks_past_it() -> None:
    frame = pattern((0, 0, 1.0), (1, 0, 0.6), (1, 1, 0.4), (2, 0, 0.5), (2, 1, 0.3), (2, 2, 0.2))
    assert pattern_sentence(frame.assign(parked=frame["key"] == 0)) == (
        "Of what is drawn, “w2” looked most at “w1”: 30 %. Grey: 1 parked place, with 70 % of the attention on average."
    )


def test_a_patterns_difference_names_where_it_is_largest_or_that_there_is_none() -> None:
    rows = pattern((0, 0, 0.1), (1, 0, -0.4), (1, 1, NAN))
    assert pattern_differences_sentence(rows) == "The largest difference: what “w1” gave to “w0”, −40 points."
    assert pattern_differences_sentence(pattern((0, 0, 0.001))) == (
        "Nowhere in this stretch, what is parked aside, does the pattern differ by a point."
    )
    parked = pattern((2, 0, 0.9), (2, 1, 0.2)).assign(parked=[True, False])
    assert pattern_differences_sentence(parked) == "The largest difference: what “w2” gave to “w1”, +20 points."
    assert pattern_differences_sentence(pattern((0, 0, NAN))).startswith(
        "No place of this stretch stands in both texts"
    )


def test_of_an_outlined_place_it_is_said_what_that_one_looked_at_most() -> None:
    frame = pattern((1, 0, 0.3), (1, 1, 0.7), (2, 0, 0.5), (2, 1, 0.3), (2, 2, 0.2))
    frame = frame.assign(parked=frame["key"] == 0)
    assert pattern_sentence(frame, 2) == "The outlined “·w2” looked most at “w1”: 30 %; grey, 50 % is parked here."
    alone = pattern((2, 0, 0.5)).assign(parked=True)
    assert pattern_sentence(alone, 2) == "The outlined “·w2” looked at nothing else that is drawn; 50 % is parked here."
    assert pattern_sentence(frame, 9) == pattern_sentence(frame)
