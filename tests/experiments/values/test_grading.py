"""Which word an answer is: read as a sentence, never by substring."""

from __future__ import annotations

import pytest

from llm_tracker.experiments.values.grading import grade


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Paris", "answer"),
        ("paris.", "answer"),
        ("  PARIS\n", "answer"),
        ("“Paris”!", "answer"),
        ("The capital of France is Paris.", "answer"),
        ("London", "foil"),
        ("The correct answer is London", "foil"),
        ("The correct answer is not London", "other"),
        ("It isn't Paris.", "other"),
        ("It isn’t Paris.", "other"),
        ("Never Paris", "other"),
        ("Londonderry", "other"),
        ("Parisian", "other"),
        ("Paris-London", "other"),
        ("Not Paris but London", "other"),
        ("Paris, London", "other"),
        ("London is wrong, it is Paris", "other"),
        ("Rome", "other"),
        ("", "other"),
        ("...", "other"),
    ],
)
def test_an_answer_is_the_word_that_stands_in_it_alone_and_undenied(text: str, expected: str) -> None:
    assert grade(text, ["Paris"], ["London"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("New York", "answer"),
        ("The answer is new york.", "answer"),
        ("York", "other"),
        ("New, York?", "answer"),
        ("New or York", "other"),
        ("York New", "other"),
        ("New Jersey", "foil"),
        ("new jersey and New York", "other"),
        ("Big Apple", "answer"),
    ],
)
def test_a_name_of_two_words_is_both_of_them_one_behind_the_other(text: str, expected: str) -> None:
    assert grade(text, ["New York", "Big Apple"], ["New Jersey"]) == expected


@pytest.mark.parametrize(
    ("text", "answer", "foil", "expected"),
    [
        ("New York", "New York", "York", "answer"),
        ("York", "New York", "York", "foil"),
        ("It is New York.", "York", "New York", "foil"),
        ("Equatorial Guinea", "Equatorial Guinea", "Guinea", "answer"),
        ("New York, and York", "New York", "York", "other"),
        ("New York City", "New York", "York City", "other"),
        ("York", "York", "york", "other"),
    ],
)
def test_a_word_inside_the_other_one_is_not_said(text: str, answer: str, foil: str, expected: str) -> None:
    assert grade(text, [answer], [foil]) == expected


def test_a_word_that_is_a_negation_itself_is_an_answer() -> None:
    assert grade("No", ["Yes"], ["No"]) == "foil"
    assert grade("Yes.", ["Yes"], ["No"]) == "answer"


def test_answer_and_foil_change_places() -> None:
    for text in ("Paris", "London", "It is Paris.", "Rome", "not London"):
        one, other = grade(text, ["Paris"], ["London"]), grade(text, ["London"], ["Paris"])
        assert {one, other} in ({"answer", "foil"}, {"other"})


def test_a_mark_alone_names_nothing() -> None:
    assert grade("?", ["?"], ["!"]) == "other"
