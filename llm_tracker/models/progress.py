"""How long work on a model reports its progress, and is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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


def silence_bars() -> None:
    """Keep transformers from drawing progress bars of its own; loads report their stages."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
