"""Which texts are cut alike and which are not: none, some, all, and one model alone."""

from __future__ import annotations

from llm_tracker.analysis.across_models.tokenisations import Cut, Kind
from llm_tracker.wording.across_models.tokenisations import cut_labels, cuts_sentence


def cut(kind: Kind, text: str, n_ways: int) -> Cut:
    return Cut(kind, text, tuple(((text, str(at)), ("A",)) for at in range(n_ways)))


QUESTION, CORRECTION, WORD = cut("question", "Why?", 1), cut("correction", "No.", 1), cut("word", "Jupiter", 2)


def test_texts_are_called_by_what_they_are() -> None:
    assert cut_labels([QUESTION, CORRECTION, WORD]) == ["the question", "the correction", "“Jupiter”"]
    assert cut_labels([QUESTION, CORRECTION, CORRECTION]) == ["the question", "the correction 1", "the correction 2"]


def test_what_is_cut_alike_is_one_sentence() -> None:
    assert cuts_sentence([QUESTION, CORRECTION], 2) == "Both cut the question and the correction at the same places."
    assert cuts_sentence([QUESTION], 4) == "All 4 cut the question at the same places."


def test_what_is_cut_otherwise_is_named_before_what_is_not() -> None:
    assert cuts_sentence([QUESTION, CORRECTION, WORD], 2) == (
        "The two cut “Jupiter” at other places; both cut the question and the correction alike."
    )
    assert (
        cuts_sentence([QUESTION, WORD], 3) == "Not all cut “Jupiter” at the same places; all 3 cut the question alike."
    )
    assert cuts_sentence([WORD], 2) == "The two cut “Jupiter” at other places."


def test_where_no_tokens_are_known_nothing_is_said_to_be_cut_alike() -> None:
    assert cuts_sentence([], 2) == "No text was followed in every model: there is nothing to compare."


def test_one_model_has_nothing_to_be_compared_with() -> None:
    assert cuts_sentence([QUESTION], 1).startswith("This is one model: add another")
