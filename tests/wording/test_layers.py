"""The layers' sentence is right also where numbers are equal, tiny, reversed or missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import Side, sides_of
from llm_tracker.tracing.trace import WatchedLens
from llm_tracker.tracing.whole_words import Parting, Spelling, WordScore
from llm_tracker.wording.layers import layers_sentence, lead_clause, rank_clause, unlike_tokens

PARTED = (
    "Before and after part at layer 3: from there on their leads differ by more than half of what they do at the end."
)


@pytest.mark.parametrize(
    ("lead", "clause"),
    [
        ([-1.0, 2.0, 3.0], "the read-out prefers “a” to “b” from layer 2 of 3 on (largest step: layer 2)"),
        ([1.0, 2.0, 3.0], "the read-out prefers “a” to “b” at every layer (largest step: layer 2)"),
        ([1.0, 2.0, -3.0], "the read-out prefers “b” to “a” only at the last layer, 3 (largest step: layer 3)"),
        ([1.0, 1.0, 0.0], "the read-out prefers neither “a” nor “b” at the last layer (largest step: layer 3)"),
        ([2.0, 2.0, 2.0], "the read-out prefers “a” to “b” at every layer"),
        ([0.5], "the read-out prefers “a” to “b” at every layer"),
        ([1e-7, 1e-6], "the read-out prefers “a” to “b” at every layer (largest step: layer 2)"),
    ],
)
def test_the_lead_says_from_which_layer_on(lead: list[float], clause: str) -> None:
    assert lead_clause(np.array(lead, dtype=np.float32), "“a”", "“b”") == clause


def test_a_later_side_does_not_repeat_what_the_first_one_said() -> None:
    assert lead_clause(np.array([1.0, -1.0]), "“a”", "“b”", first=False) == (
        "“b” only at the last layer, 2 (largest step: layer 2)"
    )
    assert lead_clause(np.array([1.0, 0.0]), "“a”", "“b”", first=False).startswith("neither at the last layer")


@pytest.mark.parametrize(
    ("ranks", "clause"),
    [
        ([5, 1, 1], "ranks “Paris” first from layer 2 of 3 on"),
        ([1, 9, 1], "ranks “Paris” first only at the last layer, 3"),
        ([1, 1, 1], "ranks “Paris” first at every layer"),
        ([1, 1, 1200], "ends with “Paris” at rank 1,200"),
    ],
)
def test_the_rank_says_where_the_word_comes_first(ranks: list[int], clause: str) -> None:
    assert rank_clause(np.array(ranks), "“Paris”") == clause


def lens(token_id: int, logits: list[float], probs: list[float] | None = None, token: str = "") -> WatchedLens:
    values = np.array(logits, dtype=np.float32)
    shares = np.array(probs or [0.1] * len(logits), dtype=np.float32)
    return WatchedLens(token_id, token or "ab"[token_id % 7 - 1], values, shares, np.ones(len(logits), dtype=np.int64))


def side_with(session: lt.Session, name: str, **words: WatchedLens) -> Side:
    turn = session.turns[0]
    table = replace(turn.trace.lens[0], watched=words)
    return Side(name, replace(turn, trace=replace(turn.trace, lens={0: table})))  # type: ignore[arg-type]


def test_the_layers_sentence_tells_each_side(session: lt.Session) -> None:
    before = side_with(session, "before", a=lens(1, [-1, 2, 3]), b=lens(2, [0, 0, 0]))
    after = side_with(session, "after", a=lens(1, [0, 0, -1]), b=lens(2, [0, 0, 0]))
    again = side_with(session, "again", a=lens(1, [1, 1, 1]), b=lens(2, [0, 0, 0]))
    assert layers_sentence([before, after, again], "lead", "a", "b") == (
        "Before, the read-out prefers “a” to “b” from layer 2 of 3 on (largest step: layer 2); after, “b” only at the "
        f"last layer, 3 (largest step: layer 3); merely asked again, “a” at every layer. {PARTED}"
    )
    assert layers_sentence([before], "rank", "a") == "The read-out ranks “a” first at every layer."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1.4], ""),
        ([1, 1, 1, 1], [1, 1, -1, -1], "part at layer 3"),
        ([1, 1, 1, 1], [-1, -1, 1, -1], "part at layer 4"),
        ([1, 1, 1, 1], [-1, -1, -1, -1], "part at layer 1"),
        ([1, 1, 1, 1], [7, 7, -5, -5], "part at layer 3"),
    ],
)
def test_where_two_answers_part_is_where_half_of_their_difference_has_come_to_stay(
    session: lt.Session, before: list[float], after: list[float], told: str
) -> None:
    sides = [
        side_with(session, name, a=lens(1, lead), b=lens(2, [0] * 4))
        for name, lead in (("before", before), ("after", after))
    ]
    said = layers_sentence(sides, "lead", "a", "b")
    assert (told in said) if told else ("part at" not in said)


def test_the_probability_says_where_it_ends_and_where_it_was_more(session: lt.Session) -> None:
    falls = side_with(session, "before", a=lens(1, [0, 0, 0], [0.2, 0.7, 0.0004]))
    rises = side_with(session, "after", a=lens(1, [0, 0, 0], [0.2, 0.2, 0.2]))
    assert layers_sentence([falls, rises], "prob", "a") == (
        "Before, the read-out gives “a” under 0.1 % at the last layer, down from 70 % at layer 2; after, it gives “a” "
        "20 % at the last layer."
    )
    tiny = side_with(session, "before", a=lens(1, [0, 0, 0], [0.0001, 0.0004, 0.0002]))
    assert layers_sentence([tiny], "prob", "a") == "The read-out gives “a” under 0.1 % at the last layer."


def test_without_a_followed_word_each_side_tells_of_its_own_token(session: lt.Session) -> None:
    sides = sides_of(session)
    told = layers_sentence(sides, "rank", None)
    for side in sides:
        assert f"“{side.token.strip() or '·'}”" in told
    unread = replace(sides[0].turn, trace=replace(sides[0].turn.trace, lens={}))
    assert layers_sentence([Side("before", unread)], "prob", None) == "This token's layers have not been read."


def test_a_word_of_several_tokens_is_named_by_the_piece_that_is_read(session: lt.Session) -> None:
    barcelona = side_with(session, "before", Barcelona=lens(1, [0, 0, 0], [0, 0, 0.1], token=" B"))
    assert layers_sentence([barcelona], "prob", "Barcelona") == (
        "The read-out gives “B” (the first piece of “Barcelona”) 10 % at the last layer."
    )


def test_sides_that_begin_a_word_with_different_tokens_are_told_apart(session: lt.Session) -> None:
    before = side_with(session, "before", Canberra=lens(1, [0, 0, 0], token="Can"), Rome=lens(5, [0, 0, 0], token="R"))
    after = side_with(
        session, "after", Canberra=lens(2, [0, 0, 0], token=" Canberra"), Rome=lens(5, [0, 0, 0], token="R")
    )
    assert unlike_tokens([before, after], ["Rome", "Canberra"]) == (
        "“Canberra” is read by its first token, as each answer would begin it: “Can” before, “·Canberra” after. These "
        "are different tokens: compare where a line turns, not its height."
    )
    assert unlike_tokens([before, before], ["Rome", "Canberra"]) == ""


def test_what_cannot_be_read_is_said(session: lt.Session) -> None:
    alike = side_with(session, "before", Par=lens(7, [1, 2, 3], token="Par"), Paris=lens(7, [1, 2, 3], token="Par"))
    assert layers_sentence([alike], "lead", "Par", "Paris") == (
        "“Par” and “Paris” begin with the same token, and the one in which they differ has not been read here."
    )
    scores = {0: {word: WordScore(word, (Spelling(word, (7,), -1.0),), "answer") for word in ("Par", "Paris")}}
    assert layers_sentence([replace(alike, turn=replace(alike.turn, scores=scores))], "lead", "Par", "Paris") == (
        "Of “Par” and “Paris” one is the beginning of the other: there is no token in which they differ."
    )
    assert layers_sentence([alike], "prob", "Rome") == "“Rome” has not been read at this token."
    assert layers_sentence([alike], "lead", "Rome", "Oslo") == "“Rome” and “Oslo” have not been read at this token."
    assert layers_sentence([alike], "lead", "Par", "Oslo") == "“Oslo” has not been read at this token."


def test_words_that_begin_alike_are_told_by_the_tokens_in_which_they_differ(session: lt.Session) -> None:
    words = {"Uranus": lens(7, [0, 0, 0], token="U"), "Uranium": lens(7, [0, 0, 0], token="U")}

    def parted(name: str, *logits: float) -> Side:
        side = side_with(session, name, **words)
        read = {"Uranus": lens(1, list(logits), token="us"), "Uranium": lens(2, [0, 0, 0], token="ium")}
        return replace(side, turn=replace(side.turn, partings={0: (Parting((7, 9), "Uran", read),)}))

    sides = [parted("before", 1, 1, 1), parted("after", 1, 1, -1)]
    assert layers_sentence(sides, "lead", "Uranus", "Uranium") == (
        "Before, behind “Uran”, with which both begin, the read-out prefers “us” (of “Uranus”) to “ium” (of “Uranium”) "
        f"at every layer; after, “ium” only at the last layer, 3 (largest step: layer 3). {PARTED}"
    )
    assert layers_sentence(sides[:1], "prob", "Uranus").startswith("The read-out gives “U” (the first piece of")
