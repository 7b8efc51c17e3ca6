"""Work that tells how far it is: generators that yield on the way and return a result."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

Told = TypeVar("Told")
Result = TypeVar("Result")


def ended(work: Generator[Told, None, Result], see: Callable[[Told], object] = lambda _told: None) -> Result:
    """Run work to its end, noting with `see` what it tells on the way, and return its result."""
    while True:
        try:
            see(next(work))
        except StopIteration as finished:
            result: Result = finished.value
            return result
