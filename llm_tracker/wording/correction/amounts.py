"""Shares and counts as the sentences of the Correction page write them."""

from __future__ import annotations

from llm_tracker.languages.numbers import MINUS
from llm_tracker.languages.texts import say_n
from llm_tracker.wording.formats import percent

LEAST_NATS = 0.05
"""The smallest change of a lead that is worth a word."""


def signed_share(share: float) -> str:
    """A share that may be negative: 42 %, −40 %; of one that is hardly there the size alone."""
    if share > -0.001:
        return percent(abs(share))
    return f"{MINUS}{percent(1.0 if 0.9995 <= -share < 1 else -share)}"


def times(n: int) -> str:
    """How often: once, 3 times."""
    return say_n("once", "{n} times", n)
