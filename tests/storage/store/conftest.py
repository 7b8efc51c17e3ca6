"""Conversations to keep, and stores to keep them in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.storage.records import partial_record


@pytest.fixture(scope="session")
def conversation() -> lt.Session:
    """A question, a correction and its control."""
    return lt.track(
        tiny_model("llama"), "What is 東京 🍎?", ["No, London."], recipe="chat", max_new_tokens=4, control=True
    )


@pytest.fixture(scope="session")
def question(conversation: lt.Session) -> lt.Session:
    """The same before it was corrected."""
    return replace(conversation, turns=conversation.turns[:1], controls={})


@pytest.fixture
def store(store_url: str) -> Iterator[lt.Store]:
    opened = lt.open_store(store_url)
    yield opened
    opened.database.close()


def same(one: lt.Session, other: lt.Session) -> bool:
    """Whether two sessions hold the same, to the last bit."""
    pairs = zip((*one.turns, *one.controls.values()), (*other.turns, *other.controls.values()), strict=True)
    arrays = all(
        mine.trace.attention.tobytes() == theirs.trace.attention.tobytes()
        and mine.trace.resid.tobytes() == theirs.trace.resid.tobytes()
        for mine, theirs in pairs
    )
    return arrays and partial_record(one) == partial_record(other)


@pytest.fixture(name="same")
def same_fixture() -> object:
    return same


def said(session: lt.Session, *texts: str) -> lt.Session:
    """The session with other questions and corrections, and so other answers."""
    turns = tuple(replace(turn, said=text) for turn, text in zip(session.turns, texts, strict=False))
    return replace(session, turns=(*turns, *session.turns[len(turns) :]))


@pytest.fixture(name="said")
def said_fixture() -> object:
    return said
