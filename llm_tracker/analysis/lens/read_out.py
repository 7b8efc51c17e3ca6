"""Rows of the residual stream through the model's own tail: what it would predict from them, in chunks.

The tail is final norm, output matrix, scale, soft cap and bias. Of a vocabulary's worth of logits only the best and the
ones that were asked for are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from llm_tracker.tracing.trace import FloatArray, IntArray

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

CHUNK_BYTES = 24 * 2**20
"""Logits, in float32, that are held at a time: one walk through the output matrix."""

CACHED_BYTES = 2 * 2**20
"""Of these, how many are looked through at a time on a CPU."""

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
    """(row, asked), 1 = best; 0 where ranks were not asked for."""

    @classmethod
    def empty(cls, rows: tuple[int, ...], n_best: int, n_asked: int) -> ReadOut:
        """Room for what will be read. Taken at once: many small arrays between the chunks' logits fragment memory."""
        best, asked = (*rows, n_best), (*rows, n_asked)
        ids, ranks = np.zeros(best, np.int64), np.zeros(asked, np.int64)
        return cls(ids, np.zeros(best, np.float32), np.zeros(asked, np.float32), np.zeros(asked, np.float32), ranks)


def read_out(model: LoadedModel, resid: FloatArray, token_ids: IntArray, n_best: int) -> ReadOut:
    """What the model would predict from rows (row, d_model), with the tokens (row, asked) that are asked for."""
    found = ReadOut.empty((len(resid),), min(n_best, model.architecture.vocab_size), token_ids.shape[1])
    for _ in read_into(found, model, resid, token_ids):
        pass
    return found


def read_into(
    found: ReadOut, model: LoadedModel, resid: FloatArray, token_ids: IntArray, ranks: bool = True
) -> Iterator[int]:
    """The same, chunk after chunk into `found`, yielding how many rows are done.

    Ranks cost a further walk through the vocabulary for each token that is asked for.
    """
    step = chunk_rows(model)
    for start in range(0, len(resid), step):
        span = slice(start, start + step)
        with model.running, torch.inference_mode():  # a model without a tail of its own is run for it
            rows = torch.tensor(resid[span], device=model.model.device, dtype=model.model.dtype)
            asked = torch.tensor(token_ids[span], device=model.model.device)
            # no name for the logits here: it would keep them until the next chunk's are there
            _note(found, span, model.adapter.logits(model.model, rows).float(), asked, ranks)
        yield min(start + step, len(resid))


def chunk_rows(model: LoadedModel) -> int:
    """How many rows are read at a time."""
    return max(1, CHUNK_BYTES // (4 * model.architecture.vocab_size))


def _note(found: ReadOut, span: slice, logits: Tensor, asked: Tensor, ranks: bool) -> None:
    """Write what a chunk of logits (row, vocab_size) says into its place.

    On a CPU only a few rows at a time are looked through: they stay in its cache, and so does what is made of them.
    """
    few = max(1, CACHED_BYTES // (4 * logits.shape[1])) if logits.device.type == "cpu" else len(logits)
    logit = logits.gather(1, asked)
    scratch = torch.empty_like(logits[:few])
    looked = [
        _look(rows, scratch[: len(rows)], own if ranks else None)
        for rows, own in zip(torch.split(logits, few), torch.split(logit, few), strict=True)
    ]
    maxima, log_total, rank = (torch.cat(each) for each in zip(*looked, strict=True))
    values, ids = best_of(logits, maxima, found.top_probs.shape[-1])
    found.top_token_ids[span] = ids.cpu().numpy()
    found.top_probs[span] = (values - log_total).exp().cpu().numpy()
    found.logit[span] = logit.cpu().numpy()
    found.prob[span] = (logit - log_total).exp().cpu().numpy()
    if ranks:
        found.rank[span] = rank.cpu().numpy()


def _look(logits: Tensor, scratch: Tensor, asked: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Of rows (row, vocab_size): their blocks' maxima, the log of their summed exponentials (row, 1), and ranks.

    `scratch` is room for what is computed from them, as large as they are. The ranks (row, asked), 1 = best, are those
    of the logits that are asked for. What is counted or summed are float32 numbers: torch sums them several times as
    fast as booleans, and exactly up to 2²⁴.
    """
    maxima = block_maxima(logits)
    largest = maxima.amax(-1, keepdim=True)
    log_total = torch.sub(logits, largest, out=scratch).exp_().sum(-1, keepdim=True).log_() + largest
    values = () if asked is None else asked.T[..., None]
    larger = [torch.gt(logits, value, out=scratch).sum(-1, keepdim=True) for value in values]
    return maxima, log_total, torch.cat(larger, 1).long() + 1 if larger else torch.empty_like(log_total)


def block_maxima(logits: Tensor) -> Tensor:
    """The largest of each block of a row's logits (row, vocab_size), of what is left at its end last: (row, block)."""
    whole = logits.shape[1] // BLOCK * BLOCK
    blocks = logits[:, :whole].view(len(logits), -1, BLOCK).amax(-1) if whole else logits[:, :0]
    return torch.cat([blocks, logits[:, whole:].amax(-1, keepdim=True)], 1) if whole < logits.shape[1] else blocks


def best_of(logits: Tensor, maxima: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest logits of each row (row, vocab_size) and where they are, best first: (row, count) each.

    They lie in the blocks with the largest `maxima`, so only these are sorted: several times as fast as a whole topk.
    """
    n_blocks = logits.shape[1] // BLOCK
    if n_blocks < 4 * count:
        best = logits.topk(count)
        return best.values, best.indices
    blocks = logits[:, : n_blocks * BLOCK].view(len(logits), n_blocks, BLOCK)
    chosen = maxima[:, :n_blocks].topk(count).indices[..., None]  # (row, count, 1)
    within = blocks.gather(1, chosen.expand(-1, -1, BLOCK)).flatten(1)
    rest = logits[:, n_blocks * BLOCK :]
    best = (torch.cat([within, rest], 1) if rest.shape[1] else within).topk(count)
    in_blocks = chosen[..., 0].gather(1, (best.indices // BLOCK).clamp(max=count - 1)) * BLOCK + best.indices % BLOCK
    behind = best.indices + (n_blocks - count) * BLOCK
    return best.values, torch.where(best.indices < count * BLOCK, in_blocks, behind)
