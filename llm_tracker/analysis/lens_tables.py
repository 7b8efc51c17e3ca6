"""Computes the logit lens (nostalgebraist, 2020): residual rows through the model's own tail.

The tail is final norm, output matrix, scale, soft cap and bias; the last layer's lens is the model's own prediction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from llm_tracker.analysis.watch_tokens import watch_token_id
from llm_tracker.tracing.tokens import token_text
from llm_tracker.tracing.trace import LensTable, Trace, WatchedLens

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel

N_LENS_CANDIDATES = 5
"""Candidates kept of every layer."""


def with_lens(model: LoadedModel, trace: Trace, steps: Iterable[int], words: Sequence[str] = ()) -> Trace:
    """The trace with the lens tables of these steps, `words` watched in them; tables that are there are kept.

    One step at a time, so that no more than one row of the vocabulary's size per layer is ever held.
    """
    tables = dict(trace.lens)
    for step in sorted(set(steps)):
        known = tables.get(step)
        if known is None or not set(words) <= known.watched.keys():
            word_ids = {word: watch_token_id(model, trace, word, step) for word in words}
            tables[step] = _table(model, trace, step, word_ids)
    return replace(trace, lens=tables)


def _table(model: LoadedModel, trace: Trace, step: int, word_ids: Mapping[str, int]) -> LensTable:
    with torch.inference_mode():
        rows = torch.tensor(trace.resid[step, 1:], device=model.model.device, dtype=model.model.dtype)
        logits = model.adapter.logits(model.model, rows).float()  # (layer, vocab_size)
        log_total = logits.logsumexp(-1)
        best = logits.topk(min(N_LENS_CANDIDATES, logits.shape[-1]))
        own = _watched(logits, log_total, int(trace.token_ids[step]), trace.tokens[step])
        watched = {
            word: _watched(logits, log_total, token_id, token_text(model.tokenizer, token_id))
            for word, token_id in word_ids.items()
        }
        top_ids = best.indices.cpu().numpy()
        top_probs = (best.values - log_total[:, None]).exp().cpu().numpy()
    texts = {token_id: token_text(model.tokenizer, int(token_id)) for token_id in np.unique(top_ids)}
    return LensTable(
        token_prob=own.prob,
        token_rank=own.rank,
        top_token_ids=top_ids,
        top_tokens=tuple(tuple(texts[token_id] for token_id in row) for row in top_ids),
        top_probs=top_probs,
        watched=watched,
    )


def _watched(logits: Tensor, log_total: Tensor, token_id: int, token: str) -> WatchedLens:
    """One token's logit, probability and rank in every layer's logits (layer, vocab_size)."""
    logit = logits[:, token_id]
    return WatchedLens(
        token_id=token_id,
        token=token,
        logit=logit.cpu().numpy(),
        prob=(logit - log_total).exp().cpu().numpy(),
        rank=((logits > logit[:, None]).sum(-1) + 1).cpu().numpy(),
    )
