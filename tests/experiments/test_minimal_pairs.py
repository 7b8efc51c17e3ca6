"""Minimal pairs: two corrections that differ in one word, cut into as many tokens."""

from __future__ import annotations

import pytest
from small_cases import small, small_case

import llm_tracker as lt
from llm_tracker.experiments.minimal_pairs import named_pair, read_pair, verdict_pair
from llm_tracker.experiments.values.conditions import WORDINGS


def pair_of(correction: str, own_answer: str = "Paris", **changes: str):
    words = {"answer": "Paris", "foil": "London", **changes}
    return named_pair(lt.Case("Q?", correction=correction, own_answer=own_answer, **words))


@pytest.mark.parametrize(
    ("correction", "source"),
    [
        ("That is wrong. The correct answer is London.", "That is wrong. The correct answer is Paris."),
        ("No, LONDON!", "No, Paris!"),
        ("London? London.", "London? Paris."),
        ("Not Londonderry but London", "Not Londonderry but Paris"),
    ],
)
def test_the_other_correction_names_the_right_word_in_the_last_place_of_the_foil(correction: str, source: str) -> None:
    pair = pair_of(correction)
    assert (pair.target, pair.source) == (correction, source)
    assert (pair.target_word, pair.source_word) == ("London", "Paris")


def test_a_name_of_two_words_is_given_way_to_whole() -> None:
    pair = pair_of("It is New York, not York.", foil="New York")
    assert pair.source == "It is Paris, not York."


@pytest.mark.parametrize("correction", ["That is wrong.", "It is Londonderry.", "…"])
def test_a_correction_that_names_neither_word_gives_way_to_a_ready_one(correction: str) -> None:
    pair = pair_of(correction)
    assert pair.target == "That is wrong. The correct answer is London."
    assert pair.source == "That is wrong. The correct answer is Paris."


def test_a_correction_that_names_the_other_word_or_an_alias_is_taken_as_it_was_said() -> None:
    pair = pair_of("It is Paris.")
    assert (pair.target, pair.source) == ("It is Paris.", "It is London.")
    assert (pair.target_word, pair.source_word) == ("Paris", "London")
    pair = pair_of("It is Londinium.", foil_aliases=("Londinium",))  # type: ignore[arg-type]
    assert (pair.target, pair.source) == ("It is Londinium.", "It is Paris.")
    assert pair.target_word == "Londinium"


def test_where_the_model_had_said_the_foil_the_right_word_is_what_is_named() -> None:
    pair = pair_of("It is Paris.", own_answer="London")
    assert (pair.target, pair.source) == ("It is Paris.", "It is London.")


@pytest.mark.parametrize("at", range(4))
def test_a_verdict_is_held_against_its_opposite(at: int) -> None:
    pair = verdict_pair(at)
    assert (pair.source, pair.target) == (WORDINGS["right"][at], WORDINGS["wrong"][at])
    assert pair.source.replace(pair.source_word, pair.target_word) == pair.target


def test_what_is_read_lines_up_and_differs_in_the_word_alone() -> None:
    case = small("llama")
    read = read_pair(case.setting, case.case, named_pair(case.case))
    unlike = [at for at, (one, other) in enumerate(zip(read.source, read.target, strict=True)) if one != other]
    assert (unlike[0], unlike[-1] + 1) == (read.first, read.end)
    tokenizer = case.model.tokenizer
    both = [tokenizer.decode(ids[read.first : read.end]) for ids in (read.source, read.target)]
    assert both == ["Bonn", "Rome"]
    assert read.slot == len(read.target) - 1
    assert read.target == case.prompt.token_ids
    assert "".join(read.tokens(case.model)) == tokenizer.decode(read.target[read.first :])


def test_words_of_unlike_length_are_refused_and_the_longer_one_is_named() -> None:
    case = small_case(small("llama").model, answer="Constantinople", foil="Rome")
    with pytest.raises(lt.InputError, match=r"“Constantinople” has more.*Choose two words"):
        read_pair(case.setting, case.case, named_pair(case.case))
    case = small_case(small("llama").model, answer="Rome", foil="Constantinople", correction="Constantinople.")
    with pytest.raises(lt.InputError, match="“Constantinople” has more"):
        read_pair(case.setting, case.case, named_pair(case.case))


def test_words_that_begin_alike_part_behind_what_they_share() -> None:
    case = small_case(small("llama").model, answer="Bonner", foil="Bonnie", correction="It is Bonnie.")
    read = read_pair(case.setting, case.case, named_pair(case.case))
    assert read.probe.shared
    assert read.target == (*case.prompt.token_ids, *read.probe.shared)
    assert read.source[-len(read.probe.shared) :] == read.probe.shared
