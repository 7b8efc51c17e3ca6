"""What a job computes of a turn, as a value by which a view knows it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_tracker.app.work.turn_ref import TurnRef


@dataclass(frozen=True)
class Subject:
    """Something that is computed of a turn."""

    kind: str
    turn: TurnRef
    details: tuple[Any, ...] = ()
    """What else it depends on, hashable."""
    stays: bool = False
    """Whether what was computed of it stays until something else takes its place, however much else is computed."""

    def __str__(self) -> str:
        """A short name, no two alike: for the keys of widgets."""
        return " ".join(map(str, (self.kind, self.turn, *self.details)))
