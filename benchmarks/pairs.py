"""Ratios of times: two ways timed in turn on the same fresh prompt, and the median of their ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

Prompt = TypeVar("Prompt")
Way = Callable[[Prompt], Any]
"""Does its work on one prompt and returns the token ids that it wrote, or None where there are none to compare."""


def seconds(way: Way[Prompt], prompt: Prompt) -> tuple[float, Any]:
    """How long a way takes on a prompt, and what it returns."""
    begun = time.perf_counter()
    result = way(prompt)
    return time.perf_counter() - begun, result


def ratio(
    ours: Way[Prompt],
    theirs: Way[Prompt],
    prompts: Iterable[Prompt],
    n: int,
    before: Callable[[Prompt], object] = lambda _prompt: None,
) -> dict[str, float]:
    """The time of one way over that of another, in `n` pairs, each way first in every other pair.

    `before` is called, untimed, before each of the two. A pair whose ways wrote different tokens (a tie that another
    order of summing broke) is left out and counted as `n_differing`.
    """
    stream = iter(prompts)
    for warm_up in islice(stream, 2):
        for way in (ours, theirs):
            before(warm_up)
            way(warm_up)
    ratios: list[float] = []
    n_differing = 0
    while len(ratios) < n:
        prompt = next(stream)
        timed = {}
        for way in (ours, theirs) if len(ratios) % 2 else (theirs, ours):
            before(prompt)
            timed[way] = seconds(way, prompt)
        (own, written), (other, expected) = timed[ours], timed[theirs]
        if written != expected:
            n_differing += 1
            if n_differing > n:
                raise RuntimeError(f"the two ways wrote other tokens: {written} and {expected}")
        else:
            ratios.append(own / other)
    return summary(ratios) | ({"n_differing": n_differing} if n_differing else {})


def summary(ratios: list[float]) -> dict[str, float]:
    """The record of a ratio in the output."""
    return {"median": statistics.median(ratios), "n": len(ratios), "min": min(ratios), "max": max(ratios)}
