"""How a model is run here: on which attention, asked for what, told what, multiplied by which routines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from llm_tracker.models.kernels.matrix_products import ModelKernels

AttentionKind = Literal["sdpa", "eager"]


@dataclass(frozen=True)
class Way:
    """How a model is run, so that what happens inside it can be read; found out when it loads."""

    attention: AttentionKind
    """`sdpa`, or `eager` for families whose attention SDPA would compute wrongly or cannot show."""
    asks_for_patterns: bool = False
    """Whether its eager attention gives patterns only when asked for them (older families)."""
    tells_positions: bool = False
    """Whether it has to be told the positions of tokens behind a cache, since it would count from 0 again.

    transformers' own generation tells every model; some classes rely on it (Bamba). Others number positions in a way of
    their own, and must be left alone (RoBERTa).
    """
    kernels: ModelKernels | None = None
    """What multiplies by its weights, where that is not what torch would choose."""

    @property
    def unasked(self) -> Way:
        """The same without asking for patterns, for passes in which nobody looks at them."""
        return replace(self, asks_for_patterns=False)

    @property
    def kernel_names(self) -> tuple[str, ...]:
        """The names of the routines that multiply; empty where torch chooses."""
        return () if self.kernels is None else self.kernels.names


EAGER = Way("eager")
ASKED = Way("eager", asks_for_patterns=True)
WAYS = (Way("sdpa"), EAGER, ASKED)
"""From the fastest on."""
