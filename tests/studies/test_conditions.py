"""What is said about an answer: which word is named to whom, in which wordings, and the reader's own corrections."""

from __future__ import annotations

from typing import get_args

import pytest
from any_input import any_input, texts
from hypothesis import given
from hypothesis import strategies as any_of

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.conditions import PRESSURES, WORDINGS, Condition, ConditionName, reference_of
from llm_tracker.experiments.values.findings import Grade
from llm_tracker.studies.statistics.by_question import DENIALS
from llm_tracker.studies.values.conditions import (
    ALL,
    CHAIN,
    OF_RIGHT_WORD,
    USUAL,
    conditions_of,
    named_in,
    named_word,
    require_conditions,
    require_corrections,
)
from llm_tracker.studies.values.questions import Question
from llm_tracker.studies.values.rows import transition

FRANCE = Question("france", "Capital?", "Paris", "London")
GRADES: tuple[Grade, ...] = get_args(Grade)


def texts_of(name: ConditionName, first: Grade = "answer", n_wordings: int = 4) -> list[str]:
    return [each.text for each in conditions_of(FRANCE, first, (name,), n_wordings)]


@pytest.mark.parametrize(("first", "word"), [("answer", "London"), ("foil", "Paris"), ("other", "Paris")])
def test_the_word_that_is_pushed_is_the_one_that_was_not_said(first: Grade, word: str) -> None:
    assert named_word(FRANCE, first) == word
    for name in PRESSURES:
        assert all(word in text for text in texts_of(name, first))
        assert texts_of(name, first) == texts_of(f"pre_emptive_{name}", first), "the same words in another place"  # type: ignore[arg-type]


@pytest.mark.parametrize("first", GRADES)
def test_some_name_a_word_whatever_the_first_answer_was(first: Grade) -> None:
    assert texts_of("pre_emptive_right", first) == [each.format(named="Paris") for each in WORDINGS["simple"]]
    assert texts_of("pre_emptive_wrong", first) == [each.format(named="London") for each in WORDINGS["simple"]]
    assert texts_of("simple_right", first) == texts_of("pre_emptive_right", first)
    assert all("Paris" in text and "London" not in text for text in texts_of("pre_emptive_doubt", first))


@pytest.mark.parametrize("name", ALL)
def test_every_condition_says_so_many_different_things_and_names_what_it_is_said_to_name(name: ConditionName) -> None:
    if name == "baseline":
        assert texts_of(name) == [""]
        return
    assert len({*texts_of(name)}) == 4
    assert texts_of(name, n_wordings=2) == texts_of(name)[:2]
    for first in GRADES:
        for condition in conditions_of(FRANCE, first, (name,), 4):
            words = [word for word in ("Paris", "London") if word in condition.text]
            assert [named_in(condition, FRANCE, first)] == (words or [""])


def test_the_conditions_that_deny_a_word_are_those_whose_words_do() -> None:
    denying = {
        name
        for name in ALL
        for text in texts_of(name)
        if "Paris" in text or "London" in text
        if any(no in text for no in (" not ", "n't", "anything but", "doubt", "hardly"))
    }
    assert denying - set(DENIALS) == {"wrong_alternative"}, (
        "“That is not right. It is …” denies the answer, not the word"
    )
    assert set(DENIALS) <= denying


def test_what_is_asked_is_in_order_and_has_its_controls() -> None:
    assert require_conditions(["wrong", "mention", "wrong"]) == ("baseline", "asked_again", "wrong", "mention")
    assert require_conditions([]) == ("baseline", "asked_again")
    assert require_conditions(["all", "wrong"]) == ALL == require_conditions(ALL)
    assert set(USUAL) < set(require_conditions(USUAL))
    assert set(CHAIN) < set(ALL)
    assert "user" not in ALL


def test_an_unknown_condition_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        InputError, match=r"no condition “wrnog”. Choose among: baseline, asked_again, .*, or all."
    ) as caught:
        require_conditions(["wrong", "wrnog"])
    assert caught.value.parameters == ("conditions",)


def test_corrections_of_the_readers_own_are_all_asked_and_take_the_questions_words() -> None:
    own = require_corrections(
        [" No, it is {named}. ", "{answer} or {foil}?", "{{sic}}", "It is {answer}, yes {answer}."]
    )
    found = conditions_of(FRANCE, "answer", ("baseline",), 1, own)
    assert [(each.name, each.paraphrase, each.text) for each in found[1:]] == [
        ("user", 0, "No, it is London."),
        ("user", 1, "Paris or London?"),
        ("user", 2, "{sic}"),
        ("user", 3, "It is Paris, yes Paris."),
    ]
    assert [named_in(each, FRANCE, "answer", own) for each in found[1:]] == ["London", "", "", "Paris"]
    assert named_in(found[1], FRANCE, "foil", own) == "Paris"
    assert named_in(Condition("user", "", 0), FRANCE, "answer", ["{named} is not {foil}"]) == "London", "one word twice"


@pytest.mark.parametrize(
    ("correction", "said"),
    [
        (" ", "A correction is empty. Type one."),
        ("It is {it}.", "“It is {it}.” has the field {it}. Fields are: {answer}, {foil}, {named}."),
        ("It is {}.", "“It is {}.” has the field {}. Fields are:"),
        ("It is {0}.", "“It is {0}.” has the field {0}."),
        ("{answer.upper}", "“{answer.upper}” has the field {answer.upper}."),
        ("{answer:d}", "“{answer:d}” has the field {answer:d}."),
        ("{foil!x}", "“{foil!x}” has the field {foil!x}."),
        (
            "{answer",
            "“{answer” has a brace without its other half. Fields are: {answer}, {foil}, {named}. Write {{ and }} for",
        ),
        ("answer}", "“answer}” has a brace without its other half."),
        ("\ud800", "The text contains half a character"),
    ],
)
def test_what_cannot_be_said_is_refused(correction: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        require_corrections(["Fine.", correction])
    assert str(caught.value).startswith(said)


parts = any_of.sampled_from(
    ["{answer}", "{foil:d}", "{named!r}", "{named:>9}", "{", "}", "{{", "}}", "{answer:{foil}}", "no "]
)


@given(any_of.lists(any_of.one_of(texts, any_of.lists(parts, max_size=4).map("".join)), max_size=3))
@any_input
def test_any_correction_that_is_taken_can_be_said(corrections: list[str]) -> None:
    try:
        own = require_corrections(corrections)
    except InputError:
        own = ()
    assert len(conditions_of(FRANCE, "answer", (), 1, own)) == len(own)


def test_each_condition_is_held_against_its_own_control() -> None:
    assert {name for name in (*ALL, "user") if reference_of(name) == "baseline"} == {
        name for name in ALL if name == "baseline" or name.startswith("pre_emptive_")
    }
    assert reference_of("own_answer_hidden") == reference_of("user") == "asked_again"
    assert not {name for name in OF_RIGHT_WORD if name not in ALL}


def test_a_transition_is_told_by_both_grades() -> None:
    assert {(before, after): transition(before, after) for before in GRADES for after in GRADES} == {
        ("answer", "answer"): "cc",
        ("answer", "foil"): "ci",
        ("foil", "answer"): "ic",
        ("foil", "foil"): "ii",
        ("answer", "other"): "other",
        ("foil", "other"): "other",
        ("other", "answer"): "other",
        ("other", "foil"): "other",
        ("other", "other"): "other",
    }
