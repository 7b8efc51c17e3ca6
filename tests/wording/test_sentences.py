"""The sentences are right also where numbers are equal, tiny, reversed or missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.compare import Side, settled_layer, sides_of
from llm_tracker.tracing.trace import WatchedLens
from llm_tracker.wording.formats import percent
from llm_tracker.wording.reading import (
    attention_sentence,
    candidates_sentence,
    layers_sentence,
    lead_clause,
    most_looked_at,
    rank_clause,
)


@pytest.fixture(scope="module")
def session() -> lt.Session:
    model = tiny_model("llama")
    return lt.track(model, "What is it?", ["No, London."], recipe="chat", max_new_tokens=2, control=True)


def with_top(turn: lt.Turn, tokens: list[str], probs: list[float]) -> lt.Turn:
    trace = replace(turn.trace, top_tokens=(tuple(tokens),) * 2, top_probs=np.array([probs] * 2, dtype=np.float32))
    return replace(turn, trace=trace)


@pytest.fixture
def paris(session: lt.Session) -> lt.Turn:
    return with_top(session.turns[0], ["Paris", "London"], [0.95, 0.007])


@pytest.fixture
def london(session: lt.Session) -> lt.Turn:
    return with_top(session.turns[1], ["London", "Paris"], [0.63, 0.0001])


def test_one_answers_candidates(paris: lt.Turn) -> None:
    assert candidates_sentence([Side("before", paris)]) == (
        "The likeliest next token is “Paris” with 95 %; next comes “London” with 0.7 %."
    )
    assert candidates_sentence([Side("before", with_top(paris, ["Paris"], [1.0]))]) == "“Paris” is the only candidate."
    thirds = with_top(paris, ["a", "b", "c"], [0.25, 0.25, 0.25])
    assert candidates_sentence([Side("before", thirds)]) == "3 tokens lead together with 25 % each."
    even = with_top(paris, ["a", "b"], [0.5, 0.5])
    assert candidates_sentence([Side("before", even)]) == "“a” and “b” lead together with 50 % each."


def test_the_leaders_before_after_and_asked_again(paris: lt.Turn, london: lt.Turn) -> None:
    before, after = Side("before", paris), Side("after", london)
    assert candidates_sentence([before, after]) == ("Before, “Paris” leads with 95 %; after, “London” leads with 63 %.")
    again = Side("again", with_top(paris, ["Paris", "Rome"], [0.67, 0.05]))
    assert candidates_sentence([before, after, again]) == (
        "Before, “Paris” leads with 95 %; after, “London” leads with 63 %; merely asked again, “Paris” leads with 67 %."
    )


def test_a_token_with_its_space_is_another_token(paris: lt.Turn) -> None:
    spaced = with_top(paris, [" Paris", "x"], [0.6, 0.1])
    assert candidates_sentence([Side("before", paris), Side("after", spaced)]) == (
        "Before, “Paris” leads with 95 %; after, “·Paris” leads with 60 %."
    )


def test_one_leader_all_along_is_named_once(paris: lt.Turn) -> None:
    tiny = with_top(paris, ["Paris", "London"], [0.0004, 0.0003])
    sides = [Side("before", paris), Side("after", tiny), Side("again", paris)]
    assert candidates_sentence(sides) == (
        "“Paris” leads every time: before 95 %, after under 0.1 % and merely asked again 95 %."
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
        "last layer, 3 (largest step: layer 3); merely asked again, “a” at every layer."
    )
    assert layers_sentence([before], "rank", "a") == "The read-out ranks “a” first at every layer."


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


def test_what_cannot_be_read_is_said(session: lt.Session) -> None:
    alike = side_with(session, "before", Par=lens(7, [1, 2, 3], token="Par"), Paris=lens(7, [1, 2, 3], token="Par"))
    assert layers_sentence([alike], "lead", "Par", "Paris") == (
        "“Par” and “Paris” begin with the same token: their lead cannot be read."
    )
    assert layers_sentence([alike], "prob", "Rome") == "“Rome” has not been read at this token."
    assert layers_sentence([alike], "lead", "Rome", "Oslo") == "“Rome” has not been read at this token."


def test_the_attention_sentence_tells_each_side(session: lt.Session) -> None:
    sides = sides_of(session)
    told = attention_sentence(sides)
    for side in sides:
        shares = lt.attention_by_word(side.turn, 0)
        assert percent(float(lt.attention_groups(shares)["parked"])) in told
        names, most = most_looked_at(shares)
        assert f"{names} ({percent(most)}" in told
    assert told.startswith("Before, ")
    assert "; merely asked again, " in told


def shares(**words: float) -> pd.DataFrame:
    rows = [{"word": word, "group": "user", "share": share} for word, share in words.items()]
    return pd.DataFrame([{"word": "<s>", "group": "parked", "share": 0.9}, *rows])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"a": 0.02, "b": 0.05}, ("“b”", 0.05)),
        ({"a": 0.05, "b": 0.05}, ("“a” and “b”", 0.05)),
        ({"a": 0.05, "b": 0.05, "c": 0.05}, ("3 words", 0.05)),
        ({"a": 0.0, "b": 0.0}, ("", 0.0)),
        ({"?": 0.5, "a": 0.01}, ("“a”", 0.01)),
        ({}, ("", 0.0)),
    ],
)
def test_the_word_that_was_looked_at_most(words: dict[str, float], told: tuple[str, float]) -> None:
    assert most_looked_at(shares(**words)) == told


def test_a_statement_settles_at_the_first_layer_from_which_it_holds() -> None:
    assert settled_layer(np.array([True, True])) == 1
    assert settled_layer(np.array([True, False, True])) == 3
    assert settled_layer(np.array([True, False])) is None
