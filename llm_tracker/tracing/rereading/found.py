"""What is found when a text is read once more. Values only; needs no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llm_tracker.tracing.trace import FloatArray


@dataclass(frozen=True, eq=False)
class HeadPattern:
    """What the queries of a text looked at, in one head."""

    layer: int
    """From 1."""
    head: int
    """From 1."""
    first_query: int
    """The position of the first query that was kept; 0 unless the text is very long."""
    weights: FloatArray
    """(query, key), after the softmax; zero beyond each query's own position."""

    @property
    def n_bytes(self) -> int:
        """What it takes."""
        return self.weights.nbytes


@dataclass(frozen=True, eq=False)
class ValueWeights:
    """How long the vectors are that one step's attention adds, by the position that they come from."""

    by_head: FloatArray
    """(layer, head, key): |a v W_O| of each head; zero where a layer has no such head."""
    joint: FloatArray
    """(layer, key): the length of the sum over the heads of a layer, |sum a v W_O|."""

    @property
    def n_bytes(self) -> int:
        """What they take."""
        return self.by_head.nbytes + self.joint.nbytes

    @property
    def head_shares(self) -> FloatArray:
        """(layer, head, key): each head's lengths as shares of their sum, which is 1 wherever a head adds anything."""
        return _shares(self.by_head)


def _shares(lengths: FloatArray) -> FloatArray:
    total = lengths.sum(-1, keepdims=True)
    shares: FloatArray = np.divide(lengths, total, out=np.zeros_like(lengths), where=total > 0)
    return shares
