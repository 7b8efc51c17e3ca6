"""Work that takes a while: how it reports how far it is, how it is stopped, and how it is run to its end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

Told = TypeVar("Told")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """One report of a load or download; `total_bytes` is 0 for a stage without a known size."""

    stage: str
    done_bytes: int = 0
    total_bytes: int = 0


Report = Callable[[Progress], None]
"""Is called often; raising `Cancelled` from it stops the work and leaves nothing half made."""


def silent(_progress: Progress) -> None:
    """A report that nobody listens to."""


def ended(work: Generator[Told, None, Result], see: Callable[[Told], object] = lambda _told: None) -> Result:
    """Run work to its end, noting with `see` what it tells on the way, and return its result."""
    while True:
        try:
            see(next(work))
        except StopIteration as finished:
            result: Result = finished.value
            return result
