"""Which words did it: each hidden from the answer slot, in one pass for all of its tokens (Geva et al., 2023).

Only the slot's own row changes. So a knock-out is a batch of single positions behind the text that was read once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from llm_tracker.experiments.passes.interventions import KnockOut
from llm_tracker.experiments.passes.rows import Row, begin, read_rows
from llm_tracker.experiments.passes.slot_attention import slot_attention
from llm_tracker.experiments.probe import Probe
from llm_tracker.experiments.text_parts import hidden_parts
from llm_tracker.experiments.values.findings import ExactCheck, KnockOuts, Unavailable, WordEffect
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.words import Span, Word

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

HIDDEN_BOUND = 1e-6
"""Largest attention that a hidden word may still get."""


def knock_outs(
    model: LoadedModel,
    prompt: Prompt,
    probe: Probe,
    layers: Span | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[KnockOuts, tuple[ExactCheck, ...]] | Unavailable:
    """What hiding each word from the answer slot changes in the margin, in a window of layers (all unless given).

    Unavailable where the model has no attention, or does not honour that something is hidden.
    """
    text, window = probe.text(prompt), layers or (1, len(model.layers))
    rows = slot_attention(model, text)
    if not rows:
        return Unavailable(say("This model has no attention pattern that a word could be hidden from."))
    slot = len(text) - 1
    parts = [part for part in hidden_parts(prompt) if part.word.tokens[0] < slot]  # which always sees itself
    if not parts:
        return Unavailable(say("There is no word in front of the answer that could be hidden."))
    check = _check(model, text, parts[-1].word, window)
    if not check.ok:
        return Unavailable(
            say(
                "This family's attention does not heed what is hidden: a hidden word still got {share} of it.",
                share=number(check.gap, ".2g"),
            )
        )
    beginning = begin(model, text[:-1], 1)
    changes = [(), *(_hiding(part.word.tokens, slot, window) for part in parts)]
    margins = [
        float(each)
        for batch in read_rows(beginning, [Row(text, change) for change in changes], stop=stop)
        for each in probe.margins(batch.logits)
    ]
    if not all(map(math.isfinite, margins)):
        return Unavailable(say("Where a word is hidden this model gives no number any more."))
    shares = _mean_shares(list(rows.values()))
    parked = {0, *(at for at, role in enumerate(prompt.roles) if role == "template")}
    words = tuple(
        WordEffect(
            part.word.text,
            part.word.role,
            part.word.tokens,
            part.is_segment,
            delta=margin - margins[0],
            out_of_distribution=bool(parked & set(range(*part.word.tokens))),
            share=sum(shares[slice(*part.word.tokens)]),
        )
        for part, margin in zip(parts, margins[1:], strict=True)
    )
    return KnockOuts(window, margins[0], words), (check,)


def _hiding(keys: Span, slot: int, layers: Span) -> tuple[KnockOut, ...]:
    return (KnockOut((keys,), (slot, slot + 1), layers),)


def _check(model: LoadedModel, text: Sequence[int], word: Word, window: Span) -> ExactCheck:
    """How much attention a word still gets that is hidden; infinite where the layers in question show none."""
    slot = len(text) - 1
    hidden = slot_attention(model, text, _hiding(word.tokens, slot, window))
    left = [
        row[:, word.tokens[0] : min(word.tokens[1], slot)].sum(-1).max()
        for layer, row in hidden.items()
        if window[0] <= layer + 1 <= window[1]
    ]
    return ExactCheck(later("attention to a hidden word"), float(max(left, default=float("inf"))), HIDDEN_BOUND)


def _mean_shares(rows: Sequence[Tensor]) -> list[float]:
    """The mean over all heads and layers of rows (head, key): (key)."""
    return torch.cat(list(rows)).mean(0).tolist()
