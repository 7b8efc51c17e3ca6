"""The attention's sentence tells what is parked, and which of the conversation's own words got most."""

from __future__ import annotations

import pandas as pd
import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import sides_of
from llm_tracker.wording.attention import attention_differences_sentence, attention_sentence, most_looked_at
from llm_tracker.wording.formats import percent


def test_the_attention_sentence_tells_each_side(session: lt.Session) -> None:
    sides = sides_of(session)
    told = attention_sentence(sides)
    for side in sides:
        shares = lt.attention_by_word(side.turn, 0)
        assert percent(float(lt.attention_groups(shares)["parked"])) in told
        names, most = most_looked_at(shares)
        assert f"{names} ({percent(most)}" in told
    assert told.startswith("Before, ")
    assert "; merely asked again, " in told


def shares(**words: float) -> pd.DataFrame:
    rows = [{"word": word, "group": "user", "share": share} for word, share in words.items()]
    return pd.DataFrame([{"word": "<s>", "group": "parked", "share": 0.9}, *rows])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"a": 0.02, "b": 0.05}, ("“b”", 0.05)),
        ({"a": 0.05, "b": 0.05}, ("“a” and “b”", 0.05)),
        ({"a": 0.05, "b": 0.05, "c": 0.05}, ("3 words", 0.05)),
        ({"a": 0.0, "b": 0.0}, ("", 0.0)),
        ({"?": 0.5, "a": 0.01}, ("“a”", 0.01)),
        ({}, ("", 0.0)),
    ],
)
def test_the_word_that_was_looked_at_most(words: dict[str, float], told: tuple[str, float]) -> None:
    assert most_looked_at(shares(**words)) == told


def differences(parked: float | None, **words: float) -> pd.DataFrame:
    rows = [{"word": word, "role": "user", "group": "user", "share": share} for word, share in words.items()]
    front = [] if parked is None else [{"word": "parked", "role": "", "group": "parked", "share": parked}]
    return pd.DataFrame([*front, *rows], columns=["word", "role", "group", "share"]).assign(again=float("nan"))


@pytest.mark.parametrize(
    ("parked", "words", "sentence"),
    [
        (-0.1, {"a": 0.2, "b": -0.1}, "“a” gained 20.0 points, “b” lost 10.0 points and what is parked lost 10.0."),
        (0.1, {"a": -0.1}, "“a” lost 10.0 points and what is parked gained 10.0."),
        (0.0, {"a": 0.1, "b": -0.1}, "“a” gained 10.0 points and “b” lost 10.0 points."),
        (-0.3, {"a": 0.2, "b": 0.1}, "“a” gained 20.0 points and what is parked lost 30.0."),
        (0.1, {"a": 0.0001}, "What is parked gained 10.0 points."),
        (0.25, {}, "What is parked gained 25.0 points."),
        (0.0, {"a": 0.0}, "Neither a word of the conversation nor what is parked gained or lost 0.1 points."),
        (0.0001, {"a": -1e-4}, "Neither a word of the conversation nor what is parked gained or lost 0.1 points."),
        (None, {}, "Neither a word of the conversation nor what is parked gained or lost 0.1 points."),
    ],
)
def test_a_difference_names_who_gained_and_who_lost_and_what_is_parked(
    parked: float | None, words: dict[str, float], sentence: str
) -> None:
    assert attention_differences_sentence(differences(parked, **words)) == sentence


def test_the_worked_examples_are_no_word_of_the_conversation() -> None:
    recipe = pd.DataFrame([{"word": "recipe", "role": "", "group": "recipe", "share": 0.5}])
    told = attention_differences_sentence(pd.concat([recipe, differences(-0.5, a=0.0)]))
    assert told == "What is parked lost 50.0 points."


def test_a_difference_tells_what_merely_asking_again_does() -> None:
    told = attention_differences_sentence(differences(None, a=0.2, b=-0.1).assign(again=[0.0312, -0.0004]))
    parked = differences(0.1).assign(again=-0.38)
    assert attention_differences_sentence(parked) == "What is parked gained 10.0 points (merely asked again: −38.0)."
    assert told == "“a” gained 20.0 points (merely asked again: +3.1) and “b” lost 10.0 points (merely asked again: 0)."
