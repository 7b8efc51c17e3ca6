"""Who carried it: each head's output at the answer slot replaced by the source's, and the strongest knocked out.

Only the slot's own row changes, so that all heads are a batch of single positions. Beside the strongest stand as many
of the other heads, chosen by chance: what these do is what any change of that size does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from llm_tracker.errors import ModelError
from llm_tracker.experiments.hand_over import Patching
from llm_tracker.experiments.passes.interventions import Change, Intervention, LikeRow
from llm_tracker.experiments.passes.rows import Beginning, Row, begin, branched, read_rows
from llm_tracker.experiments.passes.slot_attention import slot_attention
from llm_tracker.experiments.values.findings import ExactCheck, Heads, HeadShare, HeadsTogether
from llm_tracker.languages.texts import later
from llm_tracker.models.forward.numeric_gaps import in_deviations
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_SHOWN = 8
TOGETHER = (1, 2, 4, 8)
"""How many of the strongest heads are knocked out at once."""

N_DRAWS = 5
"""Times that as many heads are chosen by chance."""

OWN_BOUND = 1e-5
"""Largest gap, in standard deviations of the logits, where every head's output is replaced by its own."""

Head = tuple[int, int]
"""Layer and head, from 1."""


def heads_of(
    model: LoadedModel, patching: Patching, seed: int = 0, stop: Callable[[], bool] = lambda: False
) -> tuple[Heads, tuple[ExactCheck, ...]]:
    """Each head's share in the effect of a pair, and what the margin is without the strongest.

    Ask `patching.too_small()` first. Raises ModelError where this model's heads cannot be replaced.
    """
    pair, slot = patching.pair, (patching.pair.slot, patching.pair.slot + 1)
    heads = [(layer, head) for layer, n in enumerate(model.architecture.heads, 1) for head in range(1, n + 1)]
    places = model.sites.to_replace("z")
    heads = [(layer, head) for layer, head in heads if places[layer - 1] is not None]
    beginning = begin(model, pair.target[: pair.first], len(pair.target) - pair.first)
    beginning = branched(beginning, [pair.target, pair.source], pair.slot)
    source, own = Row(pair.source, branch=1), Row(pair.target)
    put = [Row(pair.target, (Intervention("z", *head[:1], slot, LikeRow(0), head[1]),)) for head in heads]
    rows = [source, own, *put]
    margins, _ = _margins(patching, beginning, rows, [source], stop)
    effect = float(margins[0] - margins[1])
    shares = {head: float(each - margins[1]) / effect for head, each in zip(heads, margins[2:], strict=True)}
    attention = slot_attention(model, pair.target)
    ordered = sorted(heads, key=lambda head: -abs(shares[head]))

    def share_of(head: Head) -> HeadShare:
        row = attention.get(head[0] - 1)
        looked = None if row is None else float(row[head[1] - 1, pair.first : pair.end].sum())
        return HeadShare(*head, shares[head], looked)

    chance, others = random.Random(seed), sorted(ordered[N_SHOWN:])
    drawn = chance.sample(others, min(N_SHOWN, len(others)))
    sets = [ordered[:n] for n in TOGETHER if n <= len(heads)]
    sets += [chance.sample(others, n) for n in TOGETHER if n <= len(others) for _ in range(N_DRAWS)]
    without = [_without(each, slot) for each in sets]
    tried = _tried(patching, ordered[0][0], slot)
    rows = [own, *tried, *(Row(pair.target, changes) for changes in without)]
    margins, logits = _margins(patching, beginning, rows, [source, own], stop)
    deltas = (margins - margins[0]).tolist()[1 + len(tried) :]
    together = [HeadsTogether(tuple(each), delta) for each, delta in zip(sets, deltas, strict=True)]
    n_first = sum(n <= len(heads) for n in TOGETHER)
    found = Heads(
        pair=pair.pair,
        effect=effect,
        shares=tuple(map(share_of, ordered)),
        random=tuple(map(share_of, drawn)),
        knocked_out=tuple(together[:n_first]),
        knocked_out_random=tuple(together[n_first:]),
    )
    checks = [
        ExactCheck(later("every head's output in its own place"), in_deviations(logits[1:2], logits[:1]), OWN_BOUND)
    ]
    if len(tried) > 1:
        gap = in_deviations(logits[2:3], logits[3:4])
        checks.append(ExactCheck(later("all heads of a layer replaced, and its attention"), gap, OWN_BOUND))
    return found, tuple(checks)


def _margins(
    patching: Patching, beginning: Beginning, rows: Sequence[Row], sources: Sequence[Row], stop: Callable[[], bool]
) -> tuple[Tensor, Tensor]:
    """The margin of each row, and the logits (row, vocab_size) of the first four: all of them would take much."""
    margins: list[Tensor] = []
    first: list[Tensor] = []
    for batch in read_rows(beginning, rows, sources, stop=stop):
        margins.append(patching.pair.probe.margins(batch.logits))
        first += batch.logits[: max(0, 4 - len(first))]
    return torch.cat(margins), torch.stack(first)


def _tried(patching: Patching, layer: int, slot: Span) -> list[Row]:
    """What has to come out as expected: every head's own output in its place; and, in one layer, those of the source.

    All heads of the source are what its attention adds: that is put in by itself too, where this model lets it be. The
    sources of the batch are the pair's source and its target.
    """
    model, target = patching.model, patching.pair.target
    layers = [at for at, place in enumerate(model.sites.to_replace("z"), 1) if place is not None]
    rows = [Row(target, tuple(Intervention("z", each, slot, LikeRow(1)) for each in layers))]
    with suppress(ModelError):
        if model.sites.to_replace("attn_out")[layer - 1] is not None:
            rows += [Row(target, (Intervention(site, layer, slot, LikeRow(0)),)) for site in ("z", "attn_out")]
    return rows


def _without(heads: Sequence[Head], slot: Span) -> tuple[Change, ...]:
    return tuple(Intervention("z", layer, slot, 0.0, head) for layer, head in heads)
