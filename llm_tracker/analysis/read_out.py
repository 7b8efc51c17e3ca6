"""Rows of the residual stream through the model's own tail: what it would predict from them, in chunks.

The tail is final norm, output matrix, scale, soft cap and bias. Of a vocabulary's worth of logits only the best and the
ones that were asked for are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from llm_tracker.tracing.trace import FloatArray, IntArray

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel

CHUNK_BYTES = 32 * 2**20
"""Logits, in float32, that are held at a time."""

BLOCK = 128
"""Logits in a block of `best_of`."""


@dataclass(frozen=True)
class ReadOut:
    """What rows of the residual stream would predict."""

    top_token_ids: IntArray
    """(row, candidate), best first."""
    top_probs: FloatArray
    """(row, candidate)."""
    logit: FloatArray
    """(row, asked): of the tokens that were asked for, raw."""
    prob: FloatArray
    """(row, asked)."""
    rank: IntArray
    """(row, asked), 1 = best."""


def read_out(model: LoadedModel, resid: FloatArray, token_ids: IntArray, n_best: int, ranks: bool = True) -> ReadOut:
    """What the model would predict from rows (row, d_model), with the tokens (row, asked) that are asked for.

    Ranks cost a further walk through the vocabulary for each of them; without `ranks` they are all 0.
    """
    step = chunk_rows(model)
    parts = []
    for start in range(0, len(resid), step):
        with torch.inference_mode():
            rows = torch.tensor(resid[start : start + step], device=model.model.device, dtype=model.model.dtype)
            asked = torch.tensor(token_ids[start : start + step], device=model.model.device)
            parts.append(_of_logits(model.adapter.logits(model.model, rows).float(), asked, n_best, ranks))
    return joined(parts)


def joined(parts: Sequence[ReadOut], axis: int = 0) -> ReadOut:
    """Several read-outs as one."""
    if len(parts) == 1:
        return parts[0]
    return ReadOut(**{name: np.concatenate([vars(part)[name] for part in parts], axis) for name in vars(parts[0])})


def chunk_rows(model: LoadedModel) -> int:
    """How many rows are read at a time."""
    return max(1, CHUNK_BYTES // (4 * int(model.config.vocab_size)))


def _of_logits(logits: Tensor, asked: Tensor, n_best: int, ranks: bool) -> ReadOut:
    """The read-out of logits (row, vocab_size)."""
    log_total = logits.logsumexp(-1, keepdim=True)
    values, ids = best_of(logits, min(n_best, logits.shape[-1]))
    logit = logits.gather(1, asked)
    rank = torch.zeros_like(asked)
    for column in range(asked.shape[1]) if ranks else ():
        rank[:, column] = (logits > logit[:, [column]]).sum(-1, dtype=torch.int32) + 1
    return ReadOut(
        top_token_ids=ids.cpu().numpy(),
        top_probs=(values - log_total).exp().cpu().numpy(),
        logit=logit.cpu().numpy(),
        prob=(logit - log_total).exp().cpu().numpy(),
        rank=rank.cpu().numpy(),
    )


def best_of(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest logits of each row (row, vocab_size) and where they are, best first: (row, count) each.

    They lie in the blocks with the largest maxima, so only these are sorted: several times as fast as a whole topk.
    """
    n_rows, vocab_size = logits.shape
    n_blocks = vocab_size // BLOCK
    if n_blocks < 4 * count:
        best = logits.topk(count)
        return best.values, best.indices
    blocks = logits[:, : n_blocks * BLOCK].view(n_rows, n_blocks, BLOCK)
    chosen = blocks.amax(-1).topk(count).indices  # (row, count)
    within = blocks.gather(1, chosen[..., None].expand(-1, -1, BLOCK)).flatten(1)
    rest = torch.arange(n_blocks * BLOCK, vocab_size, device=logits.device).expand(n_rows, -1)
    places = (chosen[..., None] * BLOCK + torch.arange(BLOCK, device=logits.device)).flatten(1)
    best = torch.cat([within, logits[:, n_blocks * BLOCK :]], 1).topk(count)
    return best.values, torch.cat([places, rest], 1).gather(1, best.indices)
