"""A conversation with a control, and each of its answers computed another way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from recompute import Recomputed

import llm_tracker as lt

WORDS = ["London", "zebra"]


@pytest.fixture(scope="session")
def session(tiny_llama: lt.LoadedModel) -> lt.Session:
    """Three turns, the two corrections with their controls."""
    corrections = ["No, London is it.", "No. It is Rome, not London."]
    return lt.track(
        tiny_llama, "Is Paris the capital?", corrections, "chat", max_new_tokens=4, watch_words=WORDS, control=True
    )


@pytest.fixture(scope="session")
def other(tiny_llama: lt.LoadedModel) -> lt.Session:
    """Another conversation, with one turn."""
    return lt.track(tiny_llama, "What is London?", recipe="chat", max_new_tokens=4, watch_words=WORDS)


@pytest.fixture(scope="session")
def sampled(tiny_llama: lt.LoadedModel) -> lt.Session:
    """An answer whose tokens are seldom the likeliest."""
    return lt.track(
        tiny_llama, "Is Paris it?", recipe="chat", max_new_tokens=6, temperature=8.0, seed=3, watch_words=WORDS
    )


@pytest.fixture(scope="session")
def truth(tiny_llama: lt.LoadedModel) -> Callable[[lt.Turn], Recomputed]:
    """Computes an answer by plain transformers, once."""
    return cache(lambda turn: Recomputed(tiny_llama, turn))
