"""Shares and counts as the sentences of the Correction page write them."""

from __future__ import annotations

from llm_tracker.wording.formats import percent

LEAST_NATS = 0.05
"""The smallest change of a lead that is worth a word."""


def signed_share(share: float) -> str:
    """A share that may be negative: 42 %, -40 %; of one that is hardly there the size alone."""
    if share > -0.001:
        return percent(abs(share))
    size = percent(-share)
    return f"-{size}" if size[0].isdigit() else f"{100 * share:.0f} %"


def times(n: int) -> str:
    """How often: once, 3 times."""
    return "once" if n == 1 else f"{n} times"
