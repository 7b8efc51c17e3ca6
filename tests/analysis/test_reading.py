"""The sentences are right also where numbers are equal, tiny, reversed or missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.compare import settled_layer, word_changes
from llm_tracker.analysis.reading import (
    _lead_sentence,
    attention_sentence,
    candidates_sentence,
    headline,
    layers_sentence,
    percent,
    shown,
    tiny,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.00099, "under 0.1 %"),
        (1e-12, "under 0.1 %"),
        (0.001, "0.1 %"),
        (0.0066, "0.7 %"),
        (0.0095, "1 %"),
        (0.034, "3 %"),
        (0.5, "50 %"),
        (0.9519, "95 %"),
        (0.9949, "99 %"),
        (0.997, "99.7 %"),
        (0.99951, "over 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_has_as_many_digits_as_it_means(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (" Paris", "·Paris"),
        ("a b ", "a b·"),
        ("  ", "··"),
        ("\n", "↵"),
        ("\t\r\n", "⇥␍↵"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\x1b[31m", "⟨U+001B⟩[31m"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("<b>$x$", "<b>$x$"),
        ("", ""),
    ],
)
def test_a_token_can_be_seen(token: str, text: str) -> None:
    assert shown(token) == text


@pytest.mark.parametrize(("gap", "text"), [(0, "0"), (1.2e-6, "1·10⁻⁶"), (0.11, "1·10⁻¹"), (3e10, "3·10¹⁰")])
def test_a_very_small_number_is_written_as_people_write_it(gap: float, text: str) -> None:
    assert tiny(gap) == text


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.track(tiny_model("llama"), "What is it?", ["No, London."], recipe="chat", max_new_tokens=2)


def with_top(turn: lt.Turn, tokens: list[str], probs: list[float]) -> lt.Turn:
    trace = replace(turn.trace, top_tokens=(tuple(tokens),) * 2, top_probs=np.array([probs] * 2, dtype=np.float32))
    return replace(turn, trace=trace)


def test_the_candidates_sentence_names_the_leaders(session: lt.Session) -> None:
    paris = with_top(session.turns[0], ["Paris", "London"], [0.95, 0.007])
    london = with_top(session.turns[1], ["London", "Paris"], [0.63, 0.0001])
    assert (
        candidates_sentence(paris) == "The likeliest next token is “Paris” with 95 %; next comes “London” with 0.7 %."
    )
    assert candidates_sentence(paris, london) == "Before, “Paris” leads with 95 %; after, “London” leads with 63 %."
    assert candidates_sentence(paris, paris) == "“Paris” leads before and after: 95 %, then 95 %."
    assert candidates_sentence(with_top(paris, ["Paris"], [1.0])) == "“Paris” is the only candidate."


@pytest.mark.parametrize(
    ("lead", "sentence"),
    [
        (
            [-1.0, 2.0, 3.0],
            "From layer 2 of 3 on, the read-out prefers “a” to “b”. Its largest step is at layer 2: from −1.0 to +2.0.",
        ),
        (
            [1.0, 2.0, 3.0],
            "At every layer the read-out prefers “a” to “b”. Its largest step is at layer 2: from +1.0 to +2.0.",
        ),
        (
            [1.0, 2.0, -3.0],
            "From layer 3 of 3 on, the read-out prefers “b” to “a”. Its largest step is at layer 3: from +2.0 to −3.0.",
        ),
        ([1.0, 1.0, 0.0], "At the last layer the read-out prefers neither “a” nor “b”."),
        ([0.5], "At every layer the read-out prefers “a” to “b”."),
    ],
)
def test_the_lead_sentence_says_from_which_layer_on(lead: list[float], sentence: str) -> None:
    assert _lead_sentence(np.array(lead, dtype=np.float32), "a", "b", len(lead)) == sentence


def with_ranks(turn: lt.Turn, ranks: list[int]) -> lt.Turn:
    table = replace(turn.trace.lens[0], token_rank=np.array(ranks))
    return replace(turn, trace=replace(turn.trace, tokens=("Paris", "."), lens={0: table}))


@pytest.mark.parametrize(
    ("ranks", "sentence"),
    [
        ([5, 1, 1], "From layer 2 of 3 on, the read-out ranks “Paris” first."),
        ([1, 9, 1], "Only the last layer's read-out, 3 of 3, ranks “Paris” first."),
        ([1, 1, 1200], "No layer up to the last ranks “Paris” first: it ends at rank 1,200."),
    ],
)
def test_the_layers_sentence_says_where_the_token_comes_first(
    session: lt.Session, ranks: list[int], sentence: str
) -> None:
    assert layers_sentence(with_ranks(session.turns[0], ranks)) == sentence


def test_two_words_that_begin_alike_have_no_lead(session: lt.Session) -> None:
    turn = session.turns[0]
    lens = turn.trace.lens[0]
    same = next(iter(lens.watched.values()))
    alike = replace(turn, trace=replace(turn.trace, lens={0: replace(lens, watched={"Par": same, "Paris": same})}))
    assert "begin with the same token" in layers_sentence(alike, ("Par", "Paris"))


def test_the_attention_sentence_names_what_is_parked_and_what_was_looked_at(session: lt.Session) -> None:
    shares = lt.attention_by_word(session.turns[0])
    sentence = attention_sentence(session.turns[0])
    own = shares[(shares["group"] == "user") & (shares["word"].str.strip() != "?")]
    best = own.loc[own["share"].idxmax(), "word"].strip()
    assert f"“{best}” got most" in sentence
    assert percent(float(lt.attention_groups(shares)["parked"])) in sentence


def test_the_headline_follows_the_watch_words(session: lt.Session) -> None:
    changes = {change.word: change for change in word_changes(session, 0, 1)}
    assert "London" in changes
    first, second = (float(turn.trace.lens[0].watched["London"].prob[-1]) for turn in session.turns)
    assert (changes["London"].before, changes["London"].after) == (first, second)
    assert f"{percent(first)} → {percent(second)}" in headline(session)
    same = replace(session, turns=(session.turns[0], session.turns[0]))
    assert headline(same).endswith("The answer stayed the same.")


def test_a_statement_settles_at_the_first_layer_from_which_it_holds() -> None:
    assert settled_layer(np.array([True, True])) == 1
    assert settled_layer(np.array([True, False, True])) == 3
    assert settled_layer(np.array([True, False])) is None
