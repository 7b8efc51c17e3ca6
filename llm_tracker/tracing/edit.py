"""What was changed in a model while it wrote an answer: a value, kept with the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llm_tracker.prompts.words import Span

EditKind = Literal["hidden", "head", "attention", "mlp"]


@dataclass(frozen=True)
class Edit:
    """One change, at the position that writes the answer and at all that are written behind it."""

    kind: EditKind
    """A word that was hidden; or whose output was changed: a head's, or all of a layer's attention or MLP."""
    layers: Span
    """First and last, from 1: one layer, where an output was changed."""
    head: int | None = None
    """From 1, where a head's output was changed."""
    factor: float = 1.0
    """What the output was multiplied by."""
    is_replaced: bool = False
    """Whether the output is, in place of that, what it is when the model is merely asked again; for the first token."""
    text: str = ""
    """The word that was hidden."""
    tokens: Span = (0, 0)
    """Its positions: first and one past last."""
