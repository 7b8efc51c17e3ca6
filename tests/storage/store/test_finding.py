"""Kept sessions are listed, searched, filtered and sorted without being opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

import llm_tracker as lt
from llm_tracker.storage.store import summaries
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.summaries import Unanswered

Same = Callable[[lt.Session, lt.Session], bool]
Said = Callable[..., lt.Session]

ASKED = Unanswered("ask", "Why?", "m", "chat")


def test_a_list_says_what_a_session_is_without_opening_it(store: lt.Store, conversation: lt.Session) -> None:
    store.save(conversation)
    (listed,) = store.list()
    assert listed.said == ("What is 東京 🍎?", "No, London.")
    assert listed.answers == tuple(turn.answer for turn in conversation.turns)
    assert listed.outcome == "changed"
    assert listed.n_turns == 2
    assert (listed.model_id, listed.title) == (conversation.model.id, "What is 東京 🍎?")
    assert listed.n_bytes > sum(turn.trace.n_bytes for turn in conversation.turns)


@pytest.mark.parametrize(
    ("texts", "outcome"), [((), "none"), (("Paris",), "one"), (("Paris", " paris."), "same"), (("A", "B"), "changed")]
)
def test_the_outcome_compares_the_first_answer_with_the_last(
    conversation: lt.Session, texts: tuple[str, ...], outcome: str
) -> None:
    turns = tuple(replace(conversation.turns[0], answer=text, ended="end") for text in texts)
    assert summaries.outcome_of(replace(conversation, turns=turns)) == outcome


def test_an_answer_that_was_cut_leaves_the_outcome_open(conversation: lt.Session) -> None:
    first, second = (
        replace(turn, answer=text) for turn, text in zip(conversation.turns, ("Lon", "London"), strict=True)
    )
    turns = (replace(first, ended="limit"), replace(second, ended="end"))
    assert summaries.outcome_of(replace(conversation, turns=turns)) == "unclear"


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ("東京", True),
        ("京", True),
        ("LONDON what", True),
        ("ondo", True),
        ("🍎", True),
        ("London Rome", False),
        ("%", False),
        ("_", False),
        ('"', False),
        ("'; DROP TABLE sessions; --", False),
        ("NEAR(what)", False),
        ("  ", True),
        ("\0 zebra", False),
    ],
)
def test_a_search_finds_words_in_any_case_within_others_too_and_takes_marks_for_what_they_are(
    store: lt.Store, conversation: lt.Session, search: str, is_found: bool
) -> None:
    store.save(conversation)
    assert bool(store.list(search)) is is_found


def test_what_a_user_says_of_a_session_is_searched_and_filtered(store: lt.Store, conversation: lt.Session) -> None:
    first, second = store.save(conversation), store.save(conversation)
    store.describe(first, name="Für den Kurs", tags=["geography", "Klasse 9"], note="Remember: “%”", starred=True)
    assert [each.id for each in store.list("FÜR KURS")] == [first]
    assert [each.id for each in store.list("%")] == [first]
    assert [each.id for each in store.list(tag="Klasse 9")] == [first]
    assert [each.id for each in store.list(tag="Klasse")] == []
    assert [each.id for each in store.list(starred=False)] == [second]
    assert store.tags() == ["geography", "Klasse 9"]
    store.describe(first, tags=[])
    assert store.summary(first).name == "Für den Kurs"
    assert (store.tags(), store.list("geography")) == ([], [])


def test_filters_and_orders(store: lt.Store, conversation: lt.Session, question: lt.Session, said: Said) -> None:
    a = store.save(said(question, "B?"))
    b = store.save(said(conversation, "A?"))
    c = store.save(replace(said(question, "C?"), model=replace(question.model, id="other", title="Other")))
    ids = lambda **how: [each.id for each in store.list(**how)]  # noqa: E731
    assert ids() == [c, b, a]
    assert ids(order="oldest") == [a, b, c]
    assert ids(order="title") == [b, a, c]
    assert ids(order="size")[0] == b
    store.save(said(question, "B?"), a)
    assert ids(order="changed")[0] == a
    assert ids(model="other") == ids(model="Other") == [c]
    assert ids(outcome="one") == [c, a]
    assert ids(limit=1, offset=1) == [b]
    assert store.count(Query())[0] == 3
    assert store.models() == {conversation.model.id: conversation.model.title, "other": "Other"}
    with pytest.raises(lt.InputError, match="no order"):
        store.list(order="sideways")


def test_a_clock_that_is_set_back_changes_no_order(
    store: lt.Store, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.save(question)
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    second = store.save(question)
    assert [each.id for each in store.list()] == [second, first]
    assert store.prune(older_than_days=1, dry_run=True).sessions == ()
    assert store.load(second).turns[0].said == question.turns[0].said


def test_more_words_than_a_database_takes_are_refused(store: lt.Store) -> None:
    with pytest.raises(lt.InputError, match="1,200 words are too many to search for"):
        store.list("word " * 1200)
