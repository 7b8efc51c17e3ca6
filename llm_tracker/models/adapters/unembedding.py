"""What a model does between its last layer and its logits, found by watching and by driving it.

The tail is a chain: norms, projections and the output matrix are modules, between them the rows may be scaled, and at
the end stand a scale, a soft cap and a bias. Numbers that are in no module are measured: the output matrix's result is
replaced by chosen values, and the model's logits say what becomes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.models.adapters.contract import part
from llm_tracker.models.forward.module_calls import ModuleCall, RecordedCalls
from llm_tracker.models.forward.residual_rows import hidden_state, n_streams, stand_in_front
from llm_tracker.models.forward.sites import with_output

SMALL, LARGE = 1e-3, 1e4
"""Values that no soft cap bends, and that every soft cap cuts."""


@dataclass(frozen=True)
class Link:
    """A module of the chain, what the rows are multiplied by in front of it, and how many streams it takes apart."""

    path: str
    scale: float = 1.0
    streams: int = 1


@dataclass(frozen=True, eq=False)
class Ending:
    """What becomes of the output matrix's result z: cap · tanh(scale · z / cap) + shift, of the first `vocab_size`."""

    vocab_size: int
    scale: float = 1.0
    cap: float | None = None
    shift: Tensor | None = None

    def __call__(self, scores: Tensor) -> Tensor:
        """Logits (…, vocab_size) of scores (…, at least vocab_size)."""
        logits = scores[..., : self.vocab_size]
        if self.scale != 1:
            logits = logits * self.scale
        if self.cap is not None:
            logits = (logits / self.cap).tanh() * self.cap
        return logits if self.shift is None else logits + self.shift.to(logits)


@dataclass(frozen=True, eq=False)
class Tail:
    """The chain from the last layer's rows to the logits; its last link is the output matrix."""

    links: tuple[Link, ...]
    ending: Ending

    def normed(self, model: nn.Module, resid: Tensor) -> Tensor:
        """Rows (row, d_model) of the residual stream as they enter the output matrix, before its own scale."""
        rows = resid[None]
        for link in self.links[:-1]:
            rows = _apply(model, link, rows)
        return rows[0]

    def logits(self, model: nn.Module, normed: Tensor) -> Tensor:
        """Raw logits (row, vocab_size) of such rows."""
        return self.ending(_apply(model, self.links[-1], normed[None])[0])


def _apply(model: nn.Module, link: Link, rows: Tensor) -> Tensor:
    scaled = rows if link.scale == 1 else rows * link.scale
    taken = scaled if link.streams == 1 else scaled.view(*scaled.shape[:-1], link.streams, -1)
    return hidden_state(part(model, link.path)(taken))


def find_tail(
    model: PreTrainedModel, token_ids: Tensor, recorded: RecordedCalls, last_layer: ModuleCall
) -> Tail | None:
    """The chain behind the last layer; None where it can't be followed, or does not end as `Ending` says."""
    links, head = _chain(recorded, last_layer)
    if head is None or head.gave is None or head.gave.shape[-1] < recorded.logits.shape[-1]:
        return None
    module = head.module
    ending = measured_ending(
        lambda scores: with_output(model, module, scores, token_ids)[0], head.gave, recorded.logits.shape[-1]
    )
    return None if ending is None else Tail(tuple(links), ending)


def _chain(recorded: RecordedCalls, last_layer: ModuleCall) -> tuple[list[Link], ModuleCall | None]:
    """The outermost modules that hand the last layer's rows on, each scaled copy of what the one before gave."""
    links, rows, after, head = list[Link](), last_layer.gave, last_layer.left, None
    for call in recorded.calls:
        if call.entered < after or call.got is None or call.gave is None or rows is None:
            continue
        scale = _multiple(call.got, rows)
        if scale is not None and not stand_in_front(call.shape):
            links.append(Link(call.path, scale, n_streams(call.shape)))
            rows, after, head = call.gave, call.left, call
    return links, head


def _multiple(found: Tensor, rows: Tensor) -> float | None:
    """The number that the rows were multiplied by to give what was found; None where that is not what happened."""
    if found.numel() != rows.numel():
        return None
    if torch.equal(found.flatten(), rows.flatten()):
        return 1.0
    one, other = _exact(found.flatten()), _exact(rows.flatten())
    scale = (one @ other / (other @ other)).item()
    gap = (one - other * scale).abs().max()
    return scale if gap <= _rounding(found.dtype) * one.abs().max() else None


def _exact(rows: Tensor) -> Tensor:
    """The same numbers in float64, where every machine has it."""
    return rows.cpu().double()


def _rounding(dtype: torch.dtype) -> float:
    """What one multiplication rounds, relative to the largest value, with room."""
    return 4 * torch.finfo(dtype).eps


def measured_ending(logits_of: Callable[[Tensor], Tensor], given: Tensor, vocab_size: int) -> Ending | None:
    """Drive the output matrix's result through chosen values, and read from the logits what is done to it.

    `given` is a result (1, row, at least vocab_size) of the output matrix, of four rows or more; `logits_of` returns
    the logits (row, vocab_size) where another stands in its place. None where they are not what `Ending` says.
    """
    chosen = _chosen_scores(given)
    logits = _exact(logits_of(chosen))
    scores = _exact(chosen.reshape(-1, chosen.shape[-1])[:, :vocab_size])
    shift = logits[0]
    small, large = logits[1] - shift, (logits[2] - shift).abs().max().item()
    scale = (small @ scores[1] / (scores[1] @ scores[1])).item()
    scale = 1.0 if abs(scale - 1) <= _rounding(chosen.dtype) else scale
    is_capped = large < 0.5 * abs(scale) * LARGE
    ending = Ending(
        vocab_size, scale, large if is_capped else None, shift.to(chosen.dtype) if shift.abs().max() > 0 else None
    )
    gap = (_exact(ending(scores[3:].to(chosen.dtype))) - logits[3:]).abs().max()
    return ending if gap <= 8 * _rounding(chosen.dtype) * logits[3:].abs().max() else None


def _chosen_scores(given: Tensor) -> Tensor:
    """Scores in the shape of the output matrix's result: nothing, small, large, and ever wider ones."""
    rows = given.reshape(-1, given.shape[-1])
    slope = torch.linspace(-1, 1, rows.shape[-1], dtype=rows.dtype, device=rows.device)
    sizes: Sequence[float] = [0, SMALL, LARGE, *(3.0**power for power in range(len(rows) - 3))]
    return torch.stack([slope * size for size in sizes]).view_as(given)
