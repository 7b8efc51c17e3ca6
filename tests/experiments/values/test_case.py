"""A case: two words that can be told apart, and what was said."""

from __future__ import annotations

from typing import Any

import pytest

import llm_tracker as lt

WORDS = {"question": "Q?", "answer": "Paris", "foil": "London", "correction": "No.", "own_answer": "Paris"}


def case(**changes: Any) -> lt.Case:
    return lt.Case(**{**WORDS, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"answer": ""}, "give a right word and another one"),
        ({"foil": "  "}, "give a right word and another one"),
        ({"foil": "Paris"}, "“paris” stands for both words"),
        ({"foil": " PARIS "}, "stands for both words"),
        ({"foil_aliases": ("paris",)}, "stands for both words"),
        ({"answer_aliases": ("Londinium",), "foil_aliases": ("londinium",)}, "“londinium” stands for both"),
        ({"correction": " \n"}, "The correction is empty"),
        ({"correction": "a\x00b"}, "NUL"),
        ({"answer": "a\ud800"}, "half a character"),
        ({"foil_aliases": ("\x00",)}, "NUL"),
        ({"more": ("ok", "\x00")}, "NUL"),
    ],
)
def test_what_no_experiment_can_be_made_of_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(lt.InputError, match=says):
        case(**changes)


@pytest.mark.parametrize("own", ["Paris", "The answer is London.", "", "Londonderry"])
def test_a_correction_names_the_foil(own: str) -> None:
    assert (case(own_answer=own).named, case(own_answer=own).other) == ("London", "Paris")


@pytest.mark.parametrize("own", ["London", "london.", " LONDON! ", "Londinium"])
def test_and_the_right_word_where_the_model_had_said_the_foil(own: str) -> None:
    found = case(own_answer=own, foil_aliases=("Londinium",))
    assert (found.named, found.other) == ("Paris", "London")


def test_aliases_stand_behind_the_word() -> None:
    found = case(answer_aliases=("Lutetia",), foil_aliases=("a", "b"))
    assert (found.answers, found.foils) == (("Paris", "Lutetia"), ("London", "a", "b"))
