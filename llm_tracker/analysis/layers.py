"""A watch word through the layers: its probability, its rank, or its lead over another word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.tracing.trace import FloatArray

LayerMeasure = Literal["lead", "prob", "rank"]
"""`lead` over another word in nats, `prob` in [0, 1], `rank` from 1 (best)."""


def lead(side: Side, word: str, over: str) -> FloatArray | None:
    """By layer, the logit of one watch word's token minus another's, of the first that differ: (layer).

    That is the natural logarithm of the odds of the one to the other, in nats. Where a model's lens is blind to single
    words, this difference can still be read. Of words that begin with the same tokens it is read behind what they
    share. None where it was not read, or where one word is the beginning of the other.
    """
    both = side.read_for_lead(word, over)
    if both is None:
        return None
    difference: FloatArray = both[0].logit - both[1].logit
    return difference


def settled_layer(prefers: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
    """The first layer (1-based) from which on a statement holds to the last one; None where it fails there."""
    if not prefers[-1]:
        return None
    misses = np.flatnonzero(~prefers)
    # Index i is layer i + 1, and what holds begins at the layer behind the last miss.
    return int(misses[-1]) + 2 if len(misses) else 1


def parting_layer(gaps: FloatArray) -> int:
    """The layer (1-based) from which on two readings differ by more than half of what they do at the last: (layer).

    A difference of the other sign is none of it. The last one must not be 0.
    """
    return settled_layer(gaps / gaps[-1] > 0.5) or len(gaps)


def layer_frame(
    sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None = None
) -> pd.DataFrame:
    """A word through the layers of all sides, tidy: the lead over another word, its probability or its rank.

    Without a word it is the token that each side wrote itself. Columns: turn (the side's name), layer (1..n_layers),
    value. A side where it can't be read has no rows.
    """
    frames = []
    for side in sides:
        values = by_layer(side, measure, word, over)
        if values is not None:
            layers = np.arange(1, len(values) + 1)
            frames.append(pd.DataFrame({"turn": side.name, "layer": layers, "value": values.astype(float)}))
    columns = ["turn", "layer", "value"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def by_layer(side: Side, measure: LayerMeasure, word: str | None, over: str | None = None) -> np.ndarray | None:
    """One side's values of a measure, index 0 of layer 1: (layer); None where they can't be read."""
    if measure == "lead":
        return lead(side, word, over) if word is not None and over is not None else None
    if word is None:
        table = side.turn.trace.lens.get(side.step)
        return None if table is None else table.token_prob if measure == "prob" else table.token_rank
    lens = side.watched(word)
    return None if lens is None else getattr(lens, measure)
