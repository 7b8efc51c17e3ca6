"""The conditions of a case: every one in four wordings, and what keeps them comparable."""

from __future__ import annotations

from itertools import groupby

import pytest

import llm_tracker as lt
from llm_tracker.experiments.values.conditions import (
    CONDITION_NAMES,
    PRESSURES,
    WORDINGS,
    Condition,
    conditions_of,
)

CASE = lt.Case("Q?", "Paris", "London", "No, Rome.", "Paris", more=("Really not.", "No, Rome."))
NAMING = ("wrong_alternative", "mention", "negation", *PRESSURES)


def texts(case: lt.Case, name: str, n: int = 4) -> list[str]:
    return [each.text for each in conditions_of(case, n) if each.name == name]


def test_every_condition_is_there_in_four_wordings_no_two_alike() -> None:
    found = conditions_of(CASE)
    of_studies = {"simple_right", "pre_emptive_right", "pre_emptive_wrong", "pre_emptive_doubt"}
    assert {each.name for each in found} == set(CONDITION_NAMES) - of_studies
    for name, several in groupby(sorted(found, key=lambda each: each.name), lambda each: each.name):
        wordings = list(several)
        n = {"baseline": 1, "user": 2}.get(name, 4)
        assert [each.paraphrase for each in wordings] == list(range(n))
        assert len({each.text for each in wordings}) == n
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("at", range(4))
def test_right_and_wrong_differ_in_one_word(at: int) -> None:
    one, other = WORDINGS["right"][at].split(), WORDINGS["wrong"][at].split()
    assert len(one) == len(other)
    assert sum(mine != yours for mine, yours in zip(one, other, strict=True)) == 1


@pytest.mark.parametrize("own", ["Paris", "London."])
@pytest.mark.parametrize("name", NAMING)
def test_what_names_a_word_names_the_foil_but_the_right_word_where_the_foil_was_said(name: str, own: str) -> None:
    case = lt.Case("Q?", "Paris", "London", "No.", own)
    named, other = ("Paris", "London") if own == "London." else ("London", "Paris")
    assert [named in text for text in texts(case, name)] == [True] * 4
    assert [other in text for text in texts(case, name)] == [False] * 4


NEUTRAL = [name for name in CONDITION_NAMES if name not in (*NAMING, "user") and not name.startswith("pre_emptive")]


@pytest.mark.parametrize("name", NEUTRAL)
def test_the_others_name_neither(name: str) -> None:
    assert not [text for text in texts(CASE, name) if "London" in text or "Paris" in text]


@pytest.mark.parametrize("pressure", PRESSURES)
def test_a_pressure_is_put_into_the_question_in_the_same_words(pressure: str) -> None:
    assert texts(CASE, f"pre_emptive_{pressure}") == texts(CASE, pressure)
    assert Condition(f"pre_emptive_{pressure}", "x").place == "question"  # type: ignore[arg-type]
    assert Condition(pressure, "x").place == "behind"


def test_hiding_the_models_own_answer_asks_in_the_same_words_as_asking_again() -> None:
    assert texts(CASE, "own_answer_hidden") == texts(CASE, "asked_again")
    places = {each.name: each.place for each in conditions_of(CASE)}
    assert [places[name] for name in ("baseline", "own_answer_hidden", "asked_again")] == [
        "question",
        "question",
        "behind",
    ]


def test_fewer_wordings_are_the_first_ones_and_the_readers_own_stay() -> None:
    few = conditions_of(CASE, 1)
    assert {each for each in conditions_of(CASE) if each.paraphrase == 0} <= set(few)
    assert [each.text for each in few if each.name == "user"] == ["No, Rome.", "Really not."]
    assert max(each.paraphrase for each in few if each.name != "user") == 0
