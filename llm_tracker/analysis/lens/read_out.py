"""Rows of the residual stream through the model's own tail: what it would predict from them, in chunks.

The tail is final norm, output matrix, scale, soft cap and bias. Of a vocabulary's worth of logits only the best and the
ones that were asked for are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """What rows of the residual stream would predict. A stack is the rows of one position, the final one last."""

    top_token_ids: IntArray
    """(stack, row, candidate), best first."""
    top_probs: FloatArray
    """(stack, row, candidate)."""
    entropy: FloatArray
    """(stack, row), in nats."""
    kl: FloatArray
    """(stack, row): KL(final || row), the relative entropy of the stack's last row to each, in nats; 0 of the last."""
    logit: FloatArray
    """(stack, row, asked): of the tokens that were asked for, raw."""
    prob: FloatArray
    """(stack, row, asked)."""
    rank: IntArray
    """(stack, row, asked), 1 = best."""

    @classmethod
    def empty(cls, n_stacks: int, n_rows: int, n_best: int, n_asked: int) -> ReadOut:
        """Room for what will be read. Taken at once: many small arrays between the chunks' logits fragment memory."""
        rows = (n_stacks, n_rows)
        best, asked = (*rows, n_best), (*rows, n_asked)
        return cls(
            top_token_ids=np.zeros(best, np.int64),
            top_probs=np.zeros(best, np.float32),
            entropy=np.zeros(rows, np.float32),
            kl=np.zeros(rows, np.float32),
            logit=np.zeros(asked, np.float32),
            prob=np.zeros(asked, np.float32),
            rank=np.zeros(asked, np.int64),
        )

    def stacks(self, span: slice) -> ReadOut:
        """A part of it, which shares its arrays."""
        return ReadOut(**{name: rows[span] for name, rows in vars(self).items()})


@dataclass(frozen=True)
class Leading:
    """The tokens that rank first in any row of a stack."""

    token_ids: IntArray
    """(token), in the order in which the rows bring them up, the last row first."""
    logit: FloatArray
    """(token, row), raw."""
    prob: FloatArray
    """(token, row)."""


def read_out(
    model: LoadedModel, resid: FloatArray, token_ids: IntArray, n_best: int
) -> tuple[ReadOut, Sequence[Leading]]:
    """What the model would predict from rows (stack, row, d_model), with the tokens (stack, asked) that are asked for.

    The last row of a stack is the one that the model's own prediction is made of. With it, stack by stack, come the
    tokens that rank first in any row.
    """
    n_stacks, n_rows, _ = resid.shape
    found = ReadOut.empty(n_stacks, n_rows, min(n_best, model.architecture.vocab_size), token_ids.shape[1])
    leading: list[Leading] = []
    for _ in read_into(found, model, resid, token_ids, leading):
        pass
    return found, leading


def read_into(
    found: ReadOut,
    model: LoadedModel,
    resid: FloatArray,
    token_ids: IntArray,
    leading: list[Leading] | None = None,
) -> Iterator[int]:
    """The same, chunk after chunk into `found` and `leading`, yielding how many stacks are done."""
    step = max(1, chunk_rows(model) // max(1, resid.shape[1]))
    for start in range(0, len(resid), step):
        span = slice(start, start + step)
        with model.running, torch.inference_mode():  # a model without a tail of its own is run for it
            rows = torch.tensor(resid[span], device=model.input_device, dtype=model.model.dtype)
            # no name for the logits here: it would keep them until the next chunk's are there
            logits = model.adapter.logits(model.model, rows.flatten(0, 1)).float().view(*rows.shape[:2], -1)
            _note(found.stacks(span), logits, torch.tensor(token_ids[span], device=logits.device), leading)
            del logits
        yield min(start + step, len(resid))


def chunk_rows(model: LoadedModel) -> int:
    """How many rows are read at a time; of a position at least all."""
    return max(1, CHUNK_BYTES // (4 * model.architecture.vocab_size))


def _note(found: ReadOut, logits: Tensor, asked: Tensor, leading: list[Leading] | None) -> None:
    """Write what a chunk of logits (stack, row, vocab_size) says into its place."""
    n_rows = logits.shape[1]
    # On a CPU a few rows at a time are looked through: they stay in its cache, and so does what is made of them.
    few = max(1, CACHED_BYTES // (4 * logits.shape[2])) if logits.device.type == "cpu" else n_rows
    scratch = torch.empty_like(logits[0, :few])
    for at, stack in enumerate(logits):
        logit = stack[:, asked[at]]  # (row, asked)
        final = stack[-1].softmax(-1)
        looked = [
            _look(rows, scratch[: len(rows)], own, final)
            for rows, own in zip(torch.split(stack, few), torch.split(logit, few), strict=True)
        ]
        maxima, log_total, entropy, final_logit, rank = (torch.cat(each) for each in zip(*looked, strict=True))
        values, ids = best_of(stack, maxima, found.top_probs.shape[-1])
        final_log_prob = final_logit - log_total  # of the final distribution's tokens here, on average: (row)
        found.top_token_ids[at] = ids.cpu().numpy()
        found.top_probs[at] = (values - log_total[:, None]).exp().cpu().numpy()
        found.entropy[at] = entropy.clamp(min=0).cpu().numpy()
        found.kl[at] = (final_log_prob[-1] - final_log_prob).clamp(min=0).cpu().numpy()
        found.logit[at] = logit.cpu().numpy()
        found.prob[at] = (logit - log_total[:, None]).exp().cpu().numpy()
        found.rank[at] = rank.cpu().numpy()
        if leading is not None:
            leading.append(_leading(stack, log_total, found.top_token_ids[at, :, 0].tolist()))


def _leading(stack: Tensor, log_total: Tensor, best: list[int]) -> Leading:
    ids = list(dict.fromkeys(best[::-1]))
    logit = stack[:, ids].T  # (token, row)
    prob = (logit - log_total).exp()
    return Leading(np.array(ids), logit.cpu().numpy(), prob.cpu().numpy())


def _look(
    logits: Tensor, scratch: Tensor, asked: Tensor, final: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of rows (row, vocab_size), all that takes a walk through them.

    Their blocks' maxima; the log of their summed exponentials (row); their entropy (row), in nats; their mean logit
    under the `final` probabilities (vocab_size): (row); and the ranks (row, asked), 1 = best, of the logits that are
    asked for. `scratch` is room for what is computed from them, as large as they are. What is counted or summed are
    float32 numbers: torch sums them several times as fast as booleans, and exactly up to 2²⁴.
    """
    maxima = block_maxima(logits)
    largest = maxima.amax(-1)
    larger = [torch.gt(logits, value, out=scratch).sum(-1) for value in asked.T[..., None]]
    rank = torch.stack(larger, 1).long() + 1 if larger else asked.long()
    total = torch.sub(logits, largest[:, None], out=scratch).exp_().sum(-1)
    log_total = total.log() + largest
    entropy = log_total - scratch.mul_(logits).sum(-1) / total
    return maxima, log_total, entropy, logits @ final, rank


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
