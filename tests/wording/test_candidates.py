"""The candidates' sentence names who leads on each side, alone or together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import Side
from llm_tracker.wording.candidates import candidate_differences_sentence, candidates_sentence

NAN = float("nan")


def with_top(turn: lt.Turn, tokens: list[str], probs: list[float]) -> lt.Turn:
    trace = replace(turn.trace, top_tokens=(tuple(tokens),) * 2, top_probs=np.array([probs] * 2, dtype=np.float32))
    return replace(turn, trace=trace)


@pytest.fixture
def paris(session: lt.Session) -> lt.Turn:
    return with_top(session.turns[0], ["Paris", "London"], [0.95, 0.007])


@pytest.fixture
def london(session: lt.Session) -> lt.Turn:
    return with_top(session.turns[1], ["London", "Paris"], [0.63, 0.0001])


def test_one_answers_candidates(paris: lt.Turn) -> None:
    assert candidates_sentence([Side("before", paris)]) == (
        "The likeliest next token is “Paris” with 95 %; next comes “London” with 0.7 %."
    )
    assert candidates_sentence([Side("before", with_top(paris, ["Paris"], [1.0]))]) == "“Paris” is the only candidate."
    thirds = with_top(paris, ["a", "b", "c"], [0.25, 0.25, 0.25])
    assert candidates_sentence([Side("before", thirds)]) == "3 tokens lead together with 25 % each."
    even = with_top(paris, ["a", "b"], [0.5, 0.5])
    assert candidates_sentence([Side("before", even)]) == "“a” and “b” lead together with 50 % each."


def test_the_leaders_before_after_and_asked_again(paris: lt.Turn, london: lt.Turn) -> None:
    before, after = Side("before", paris), Side("after", london)
    assert candidates_sentence([before, after]) == ("Before, “Paris” leads with 95 %; after, “London” leads with 63 %.")
    again = Side("again", with_top(paris, ["Paris", "Rome"], [0.67, 0.05]))
    assert candidates_sentence([before, after, again]) == (
        "Before, “Paris” leads with 95 %; after, “London” leads with 63 %; merely asked again, “Paris” leads with 67 %."
    )


def test_a_token_with_its_space_is_another_token(paris: lt.Turn) -> None:
    spaced = with_top(paris, [" Paris", "x"], [0.6, 0.1])
    assert candidates_sentence([Side("before", paris), Side("after", spaced)]) == (
        "Before, “Paris” leads with 95 %; after, “·Paris” leads with 60 %."
    )


def test_one_leader_all_along_is_named_once(paris: lt.Turn) -> None:
    tiny = with_top(paris, ["Paris", "London"], [0.0004, 0.0003])
    sides = [Side("before", paris), Side("after", tiny), Side("again", paris)]
    assert candidates_sentence(sides) == (
        "“Paris” leads every time: before 95 %, after under 0.1 % and merely asked again 95 %."
    )


def differences(*rows: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["token", "prob"]).assign(again=NAN)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("a", 0.4), ("b", 0.0), (" c", -0.25)], "“a” gained 40 points and “·c” lost 25 points."),
        ([("a", 0.4), ("b", 0.2)], "“a” gained 40 points."),
        ([("a", -0.2), ("b", -0.4)], "“b” lost 40 points."),
        ([("a", 0.01), ("b", -0.012)], "“a” gained 1 point and “b” lost 1 point."),
        ([("a", 0.3)], "“a” gained 30 points."),
        ([("a", 0.3), ("b", NAN)], "“a” gained 30 points."),
        ([("a", 0.0), ("b", 0.0)], "No candidate that both sides have moved by a point or more."),
        ([("a", 0.004), ("b", -0.001)], "No candidate that both sides have moved by a point or more."),
        ([("a", NAN)], "No candidate is among the best of both sides."),
        ([], "No candidate is among the best of both sides."),
    ],
)
def test_a_difference_names_who_gained_most_and_who_lost_most(rows: list[tuple[str, float]], sentence: str) -> None:
    assert candidate_differences_sentence(differences(*rows)) == sentence


def test_a_difference_tells_what_merely_asking_again_does() -> None:
    frame = differences(("a", 0.4), ("b", -0.25)).assign(again=[-0.031, 0.002])
    assert candidate_differences_sentence(frame) == (
        "“a” gained 40 points (merely asked again: −3) and “b” lost 25 points (merely asked again: 0)."
    )
