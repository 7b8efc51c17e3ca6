"""Where models looked: one, several, words that tie, marks that are no words, and nothing at all."""

from __future__ import annotations

import pandas as pd
import pytest

from llm_tracker.wording.across_models.attention import no_attention, parked_sentence, words_sentence


def groups(**parked: float) -> pd.DataFrame:
    rows = [
        (letter, group, share)
        for letter, own in parked.items()
        for group, share in (("parked", own), ("user", 1 - own))
    ]
    return pd.DataFrame(rows, columns=["model", "group", "share"])


def words(*rows: tuple[str, str, float], role: str = "user") -> pd.DataFrame:
    return pd.DataFrame([(*row, role) for row in rows], columns=["model", "word", "share", "role"])


def test_how_much_each_model_parks() -> None:
    assert parked_sentence(groups(A=0.83)) == "83 % is parked on the start and the template."
    assert parked_sentence(groups(A=0.83, B=0.5, C=0)) == (
        "Parked on the start and the template: 83 % in A, 50 % in B and 0 % in C."
    )
    assert parked_sentence(groups()) == ""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("A", "wrong", 0.01), ("A", "Rome", 0.03)], "Of your words, “Rome” got most (3 %)."),
        (
            [("A", "Rome", 0.03), ("B", "Rome", 0.09), ("B", "wrong", 0.01)],
            "Of your words, “Rome” got most (3 % in A, 9 % in B).",
        ),
        (
            [("A", "Rome", 0.03), ("B", "Rome", 0.01), ("B", "wrong", 0.02)],
            "Of your words, “Rome” got most (3 % in A); “wrong” got most (2 % in B).",
        ),
        ([("A", "?", 0.3), ("A", "Rome", 0.03)], "Of your words, “Rome” got most (3 %)."),
        ([("A", "Rome", 0.0001)], "Of your words, none got as much as 0.1 %."),
        (
            [("A", "Rome", 0.03), ("B", "Rome", 0.0001)],
            "Of your words, “Rome” got most (3 % in A); none got as much as 0.1 % in B.",
        ),
        ([], ""),
    ],
)
def test_which_word_got_most_in_each(rows: list[tuple[str, str, float]], said: str) -> None:
    assert words_sentence(words(*rows)) == said


def test_what_is_not_the_readers_is_no_word_of_theirs() -> None:
    frame = pd.concat([words(("A", "its answer", 0.5), role="assistant"), words(("A", "Rome", 0.03))])
    assert words_sentence(frame) == "Of your words, “Rome” got most (3 %)."


def test_models_without_attention_are_named() -> None:
    assert no_attention([]) == ""
    assert no_attention(["B"]) == "B has no attention in any layer."
    assert no_attention(["A", "C"]) == "A and C have no attention in any layer."
