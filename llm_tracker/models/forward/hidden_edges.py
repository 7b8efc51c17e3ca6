"""Attention edges that are cut: positions that chosen queries cannot look at, in chosen layers (Geva et al., 2023).

On SDPA the pattern is made, its hidden places are set to zero and the rest is scaled up to what it was: that is the
softmax without them. Families that run on eager attention are given a mask in which those places are closed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from llm_tracker.models.forward.hooks import Arguments, before, layers_in_turn, put_on, replacing
from llm_tracker.models.forward.pattern_edits import edited_patterns

if TYPE_CHECKING:
    from llm_tracker.models.forward.way import Way

Hidden = Callable[[int], Tensor | None]
"""Is given the layer's index (0-based); returns what is hidden there, true in (row, query, key) of the text's last
queries and all its keys, or None."""

MASK = "attention_mask"
"""What transformers' attention modules call their mask."""


@contextmanager
def hidden_edges(attentions: Sequence[nn.Module | None], way: Way, hidden: Hidden) -> Iterator[None]:
    """Within this context this thread's passes cannot look along the hidden edges: (layer) of attention modules.

    No KV cache of an earlier text is used or kept meanwhile. A family may not honour the mask that its modules are
    given: whether a place was really hidden is seen in the rows that are recorded.
    """
    if way.attention == "sdpa":
        with edited_patterns(attentions, lambda layer, pattern: _without(pattern, hidden(layer))):
            yield
        return
    turns = layers_in_turn(attentions)

    def close(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        edges = hidden(next(turns[id(module)]))
        return None if edges is None else _with_closed_mask(module, args, kwargs, edges)

    modules = {id(module): module for module in attentions if module is not None}
    with put_on(before(module, close) for module in modules.values()), replacing():
        yield


def _without(pattern: Tensor, edges: Tensor | None) -> Tensor:
    """A pattern (row, head, query, key) without the hidden places, its rows summing to what they did."""
    if edges is None:
        return pattern
    left = pattern.masked_fill(edges[:, None, :, edges.shape[-1] - pattern.shape[-1] :], 0.0)
    scaled = left * (pattern.sum(-1, keepdim=True) / left.sum(-1, keepdim=True))
    # A row of which nothing is hidden stays what it is to the bit.
    return torch.where(edges.any(-1)[:, None, :, None], scaled, pattern)


def _with_closed_mask(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], edges: Tensor
) -> Arguments | None:
    """The arguments with the hidden places closed in the mask; None where the module is given none."""
    names = _parameter_names(cast("Hashable", type(module)))
    at = names.index(MASK) if MASK in names and names.index(MASK) < len(args) else None
    mask = kwargs.get(MASK) if at is None else args[at]
    if not isinstance(mask, Tensor) or mask.dim() != 4:
        return None
    closed = edges[:, None, :, edges.shape[-1] - mask.shape[-1] :]
    new = mask & ~closed if mask.dtype == torch.bool else mask.masked_fill(closed, torch.finfo(mask.dtype).min)
    if at is None:
        return args, {**kwargs, MASK: new}
    return (*args[:at], new, *args[at + 1 :]), kwargs


@cache
def _parameter_names(kind: Hashable) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(cast("type[nn.Module]", kind).forward).parameters if name != "self")
