"""Where a correction travels: activation patching of a minimal pair, depth by depth and position by position.

Both texts and all patched ones are rows of one batch, and a patched row takes what the source's row has in the same
pass. So the ends are exact: the word patched at depth 0 is the source, the slot patched at the last depth too, each of
them at the other end is the target, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from llm_tracker.experiments.minimal_pairs import ReadPair
from llm_tracker.experiments.passes.interventions import Intervention, LikeRow, at_depth
from llm_tracker.experiments.passes.rows import Beginning, Row, begin, branched, read_rows
from llm_tracker.experiments.values.findings import SMALLEST_EFFECT_NATS, ExactCheck, Floats, HandOver, Unavailable
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.models.forward.numeric_gaps import in_deviations, largest
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

END_BOUND = 1e-5
"""Largest gap between an end of a curve and what it has to be, in standard deviations of the logits."""


class Patching:
    """A minimal pair that is read with states of the source put into the target."""

    def __init__(self, model: LoadedModel, pair: ReadPair, stop: Callable[[], bool] = lambda: False) -> None:
        self.model, self.pair, self._stop = model, pair, stop
        self._beginning = begin(model, pair.target[: pair.first], len(pair.target) - pair.first)
        source, target = self._logits(self._beginning, [])
        self.margins = float(pair.probe.margins(source)), float(pair.probe.margins(target))

    @property
    def effect(self) -> float:
        """The source's margin minus the target's, in nats."""
        return self.margins[0] - self.margins[1]

    def too_small(self) -> Unavailable | None:
        """Why there is nothing to trace, where that is so."""
        if abs(self.effect) >= SMALLEST_EFFECT_NATS:
            return None
        return Unavailable(
            say(
                "“{source}” and “{target}” lead to margins that differ by {effect} nats: there is no effect to trace.",
                source=self.pair.pair.source,
                target=self.pair.pair.target,
                effect=number(abs(self.effect), ".2f"),
            )
        )

    def shares(self, span: Span, depths: Sequence[int]) -> tuple[Floats, tuple[float, float]]:
        """The share of the effect that comes with the positions of a span, patched at each depth.

        And how far the first and last of these depths are from what they have to be, where these are 0 and the last
        one: the source where all that differs was put in, or the slot's last state, and else the target.
        """
        n_layers = len(self.model.layers)
        patched = [
            Intervention(site, layer, span, LikeRow(0)) for site, layer in (at_depth(each, n_layers) for each in depths)
        ]
        beginning = branched(self._beginning, [self.pair.target, self.pair.source], span[0])
        source, target, *rest = self._logits(beginning, patched)
        share = [float(self.pair.probe.margins(each) - self.pair.probe.margins(target)) for each in rest]
        whole = float(self.pair.probe.margins(source) - self.pair.probe.margins(target))
        is_all = span[0] <= self.pair.first and self.pair.end <= span[1]
        is_slot = span[0] <= self.pair.slot < span[1]
        first, last = (source if is_source else target for is_source in (is_all, is_slot))
        ends = in_deviations(rest[0][None], first[None]), in_deviations(rest[-1][None], last[None])
        return tuple(each / whole for each in share), ends

    def _logits(self, beginning: Beginning, patched: Sequence[Intervention]) -> Tensor:
        """Logits (row, vocab_size) of the source, the target, and the target with each intervention."""
        pair, is_branched = self.pair, beginning is not self._beginning
        source = Row(pair.source, branch=1 if is_branched else 0)
        rows = [source, Row(pair.target), *(Row(pair.target, (each,)) for each in patched)]
        return torch.cat([batch.logits for batch in read_rows(beginning, rows, [source], stop=self._stop)])


def stream_hand_over(patching: Patching) -> Generator[HandOver, None, tuple[HandOver, tuple[ExactCheck, ...]]]:
    """The three curves of a pair, yielded as far as they have come; what is not there yet is empty.

    Ask `patching.too_small()` first.
    """
    pair, depths = patching.pair, range(len(patching.model.layers) + 1)
    found = HandOver(
        pair=pair.pair,
        effect=patching.effect,
        margins=patching.margins,
        tokens=pair.tokens(patching.model),
        first=pair.first,
        n_word=pair.end - pair.first,
        named_word=(),
        between=(),
        answer_slot=(),
    )
    gaps: list[float] = []
    named, between, slot = ((pair.first, pair.end), (pair.end, pair.slot), (pair.slot, len(pair.target)))
    curve, ends = patching.shares(named, depths)
    gaps += ends
    found = replace(found, named_word=curve)
    yield found
    if between[0] < between[1]:
        curve, ends = patching.shares(between, depths)
        gaps += ends
    else:
        curve = (0.0,) * len(depths)
    found = replace(found, between=curve)
    yield found
    curve, ends = patching.shares(slot, depths)
    gaps += ends
    found = replace(found, answer_slot=curve)
    yield found
    return found, (ExactCheck(later("ends of the hand-over curves"), largest(gaps), END_BOUND),)


def stream_grid(patching: Patching) -> Generator[float, None, tuple[Floats, ...]]:
    """Each position from the word to the slot patched by itself at each depth: (depth, position).

    Yields the share that is done.
    """
    pair, depths = patching.pair, range(len(patching.model.layers) + 1)
    columns: list[Floats] = []
    for position in range(pair.first, len(pair.target)):
        columns.append(patching.shares((position, position + 1), depths)[0])
        yield len(columns) / (len(pair.target) - pair.first)
    return tuple(zip(*columns, strict=True))
