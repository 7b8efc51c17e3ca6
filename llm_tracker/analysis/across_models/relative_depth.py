"""The lead of one word over another by relative depth: models with other numbers of layers on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from llm_tracker.analysis.across_models.runs import NamedRun
from llm_tracker.analysis.compare import Side, SideName
from llm_tracker.analysis.layers import lead, settled_layer
from llm_tracker.tracing.trace import FloatArray

COLUMNS = ("model", "name", "turn", "layer", "n_layers", "depth", "lead")


def lead_by_depth(runs: Sequence[NamedRun], word: str, over: str) -> pd.DataFrame:
    """A row for each layer of each answer of each model.

    Columns: model (its letter), name, turn (before, after or again), layer (from 1), n_layers, depth (layer / n_layers,
    in (0, 1]), lead (logits, which are nats: `analysis.layers.lead`). An answer in which the lead was not read has no
    rows.
    """
    frames = []
    for each in runs:
        for side in each.sides:
            values = lead(side, word, over)
            if values is not None:
                frames.append(_rows(each, side.name, values))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))


def _rows(named_run: NamedRun, turn: SideName, values: FloatArray) -> pd.DataFrame:
    layers = np.arange(1, len(values) + 1)
    return pd.DataFrame(
        {
            "model": named_run.letter,
            "name": named_run.name,
            "turn": turn,
            "layer": layers,
            "n_layers": len(values),
            "depth": layers / len(values),
            "lead": values.astype(float),
        }
    )


@dataclass(frozen=True)
class Ending:
    """Which of two words a read-out ends with, and since when."""

    lead: float
    """At the last layer, in nats: above zero the first word is ahead."""
    layer: int | None
    """From this layer (1-based) on it is the same word that is ahead; None where none is at the end."""
    n_layers: int


def ending(values: FloatArray) -> Ending:
    """How a lead through the layers (layer) ends."""
    last = float(values[-1])
    layer = None if last == 0 else settled_layer(values > 0 if last > 0 else values < 0)
    return Ending(last, layer, len(values))


@dataclass(frozen=True)
class FormatGap:
    """How far apart two number formats of one model are: the largest difference of the lead, and the one at the end."""

    one: NamedRun
    reference: NamedRun
    largest: float
    """Of all layers of the answers before and after, in nats, without its sign."""
    turn: SideName
    layer: int
    """Where the largest is, from 1."""
    at_end: float
    """The largest at a last layer, in nats, without its sign."""
    unlike: tuple[SideName, ...] = ()
    """The answers that are left out, since the two have read different texts in front of them."""


def format_gap(one: NamedRun, reference: NamedRun, word: str, over: str) -> FormatGap | None:
    """The gap between two formats; None where the lead was not read in both.

    The control is left out: it is no answer that is compared. So are answers to texts that differ: where earlier
    answers do, each format reads its own, and what that does would be taken for the format's doing.
    """
    gaps: dict[SideName, FloatArray] = {}
    unlike: list[SideName] = []
    for side in one.sides:
        other = reference.side(side.name)
        if other is None or side.name == "again":
            continue
        if not read_alike(side, other):
            unlike.append(side.name)
            continue
        values = lead(side, word, over), lead(other, word, over)
        if values[0] is not None and values[1] is not None:
            gaps[side.name] = np.abs(values[0] - values[1])
    if not gaps:
        return None
    turn = max(gaps, key=lambda name: float(gaps[name].max()))
    at_end = max(float(gap[-1]) for gap in gaps.values())
    largest, layer = float(gaps[turn].max()), int(gaps[turn].argmax()) + 1
    return FormatGap(one, reference, largest, turn, layer, at_end, tuple(unlike))


def read_alike(one: Side, other: Side) -> bool:
    """Whether two models read the same text in front of an answer: their own earlier answers stand in it."""
    return one.turn.prompt.text == other.turn.prompt.text
