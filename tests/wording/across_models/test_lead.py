"""Where each model's read-out comes to prefer a word: equal, reversed, at once, at last, unread, one model alone."""

from __future__ import annotations

import pytest
from model_runs import OVER, WORD, called, having_read_otherwise, leading, run_of, two_sizes

from llm_tracker.analysis.across_models.relative_depth import format_gap
from llm_tracker.analysis.across_models.runs import named
from llm_tracker.wording.across_models.lead import format_sentence, lead_sentence, pieces_note

SAME = [1, 1, 1]


def before(*leads: list[float]) -> str:
    """What is said of these leads."""
    return lead_sentence(named([leading(each, SAME) for each in leads]), "before", WORD, OVER)


@pytest.mark.parametrize(
    ("leads", "said"),
    [
        ([[1, 2, 5.2]], "“Paris” is ahead of “Rome” at every layer, at the end by 5.2 logits."),
        ([[-1, 2, 0.5]], "“Paris” is ahead of “Rome” from layer 2 of 3 on (depth 0.67), at the end by 0.50 logits."),
        ([[1, 2, -12]], "“Rome” is ahead of “Paris” at the last layer only, 3, at the end by 12 logits."),
        ([[1, 2, 0]], "Neither “Paris” nor “Rome” is ahead at the last layer."),
        ([[1, 2, 0.001]], "“Paris” is ahead of “Rome” at every layer, at the end by under 0.01 logits."),
        (
            [[-1, 2, 3], [-1, -2, -3]],
            "In A “Paris” is ahead of “Rome” from layer 2 of 3 on (depth 0.67), at the end by 3.0 logits; "
            "in B “Rome” is ahead at every layer, at the end by 3.0 logits.",
        ),
        (
            [[1, 2, 0], [1, 2, 3], [2, 2, 3]],
            "In A neither “Paris” nor “Rome” is ahead at the last layer; "
            "in B and C “Paris” is ahead at every layer, at the end by 3.0 logits.",
        ),
    ],
)
def test_each_model_is_told_by_which_word_its_last_layer_has_ahead(leads: list[list[float]], said: str) -> None:
    assert before(*leads) == said


def test_a_word_that_was_not_read_and_an_answer_that_is_not_there_are_said_so() -> None:
    runs = two_sizes()
    assert lead_sentence(runs, "before", WORD, "zebra") == "In A and B “zebra” has not been read."
    assert lead_sentence(runs, "before", "yak", "zebra") == "In A and B “yak” and “zebra” have not been read."
    assert lead_sentence(named([leading(SAME, SAME)]), "again", WORD, OVER) == ""


def test_a_model_that_cannot_be_told_leaves_the_other_its_sentence() -> None:
    runs = named([run_of(), leading([1, 2, 3], SAME)])
    told = lead_sentence(runs, "before", WORD, OVER)
    assert told.endswith("in B “Paris” is ahead at every layer, at the end by 3.0 logits.")
    told = lead_sentence(named([leading(SAME, SAME), run_of()]), "before", WORD, WORD)
    assert told == "In A and B “Paris” and “Paris” have no token in which they differ."


def test_formats_are_told_apart_by_their_largest_difference() -> None:
    def told(*other: list[float]) -> str:
        runs = named([called(leading([1, 2, 3], SAME), "Small"), called(leading(*other), "Small", "bfloat16")])
        gap = format_gap(runs[1], runs[0], WORD, OVER)
        assert gap is not None
        return format_sentence(gap)

    assert told([1, 2.25, 3], [1, 1, 0.5]) == (
        "Of Small, bfloat16 and float32 differ in this lead by at most 0.50 logits (after the correction, layer 3 of "
        "3), at the last layer by 0.50 logits."
    )
    assert told([1, 2.25, 3], SAME) == (
        "Of Small, bfloat16 and float32 differ in this lead by at most 0.25 logits (before the correction, layer 2 of "
        "3), at the last layer by nothing."
    )
    assert told([1, 2, 3], SAME) == "Of Small, bfloat16 and float32 have the same lead at every layer."


def test_of_formats_that_read_different_texts_it_is_said_why_they_are_not_compared() -> None:
    other = having_read_otherwise(leading([1, 2.25, 3], SAME))
    runs = named([called(leading([1, 2, 3], SAME), "Small"), called(other, "Small", "bfloat16")])
    gap = format_gap(runs[1], runs[0], WORD, OVER)
    assert gap is not None
    assert format_sentence(gap).endswith(
        "at the last layer by nothing. After the correction they are not compared: they had answered differently, so "
        "each reads another text there."
    )


def test_words_of_several_tokens_are_said_to_be_read_by_one() -> None:
    assert pieces_note(named([leading(SAME, SAME)]), WORD, OVER) == ""
    tokens = [run_of().session.turns[0].trace.lens[0].watched[word].token for word in (WORD, OVER)]
    pieces = [f"“{word}” by “{token}”" for word, token in zip((WORD, OVER), tokens, strict=True) if token != word]
    assert pieces
    told = pieces_note(named([leading(SAME, SAME), run_of()]), WORD, OVER)
    assert told == f"Read by the first token in which they differ: in B {' and '.join(pieces)}."
