"""Two words to begin with, of a conversation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_cases import small

import llm_tracker as lt
from llm_tracker.experiments.values.proposals import proposed_words


def proposal(answers: tuple[str, str], correction: str, watched: tuple[str, ...] = ()) -> tuple[str, str]:
    session = small("llama").session
    first, second = (
        replace(session.turns[0], answer=answer, said=said)
        for answer, said in zip(answers, ("What is the capital of France?", correction), strict=True)
    )
    return proposed_words(replace(session, turns=(first, second), watch_words=watched), 1)


@pytest.mark.parametrize(
    ("answers", "correction", "expected"),
    [
        (("Paris", "Rome"), "That is wrong. The correct answer is London.", ("Paris", "London")),
        (("Paris.", "Rome"), "That is wrong.", ("Paris", "Rome")),
        (("The Paris.", "Rome"), "That is wrong.", ("Paris", "Rome")),
        (("Paris", "Paris"), "That is wrong.", ("Paris", "")),
        (("Paris", "Rome"), "The correct answer is Paris.", ("Paris", "Rome")),
        (("Paris", "paris"), "The correct answer is PARIS.", ("Paris", "")),
        (("", ""), "That is wrong.", ("", "")),
        (("Blue", "Green"), "No, it is green.", ("Blue", "Green")),
        (("Blue", "Blue"), "No, it is green.", ("Blue", "Green")),
        (("blue", "Blue"), "No, it is green.", ("blue", "green")),
        (("blue", "blue"), "No, it is Green.", ("blue", "Green")),
    ],
)
def test_what_was_answered_is_held_against_what_was_said(
    answers: tuple[str, str], correction: str, expected: tuple[str, str]
) -> None:
    assert proposal(answers, correction) == expected


def test_of_a_long_answer_a_watched_word_is_taken_and_none_where_none_is_in_it() -> None:
    long = "I should think that it has been Paris for many hundred years"
    assert proposal((long, "Rome"), "No.", ("Rome", "Paris")) == ("Paris", "Rome")
    assert proposal((long, "Rome"), "No.") == ("", "Rome")
    assert proposal((long.replace("Paris", "Parisian"), "Rome"), "No.", ("Paris",))[0] == ""


def test_the_two_words_make_a_case() -> None:
    answer, foil = proposal(("Paris", "Rome"), "That is wrong. The correct answer is London.")
    assert lt.Case("Q?", answer, foil, "No.", answer).named == "London"
