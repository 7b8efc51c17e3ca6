"""Attention edges that are cut: positions that chosen queries cannot look at, in chosen layers (Geva et al., 2023).

On SDPA the pattern is made, its hidden places are set to zero and the rest is scaled up to what it was: that is the
softmax without them. Families that run on eager attention make theirs in code of their own, with a mask of their own
kind or none, but all of them by a softmax: its scores are closed in those places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from llm_tracker.models.forward.hooks import after, before, layers_in_turn, once_each, put_on, replacing
from llm_tracker.models.forward.pattern_edits import edited_patterns

if TYPE_CHECKING:
    from llm_tracker.models.forward.way import Way

Hidden = Callable[[int], Tensor | None]
"""Is given the layer's index (0-based); returns what is hidden there, true in (row, query, key) of the text's last
queries and all its keys, or None."""

OVER_SCORES = frozenset({functional.softmax, torch.softmax, Tensor.softmax, torch.logsumexp, Tensor.logsumexp})
"""What makes a pattern of scores, or the share that a sink takes of it."""


@contextmanager
def hidden_edges(attentions: Sequence[nn.Module | None], way: Way, hidden: Hidden) -> Iterator[None]:
    """Within this context this thread's passes cannot look along the hidden edges: (layer) of attention modules.

    No KV cache of an earlier text is used or kept meanwhile. A family may make its pattern in another way: whether a
    place was really hidden is seen in the rows that are recorded.
    """
    if way.attention == "sdpa":
        with edited_patterns(attentions, lambda layer, pattern: _without(pattern, hidden(layer))):
            yield
        return
    turns, closed, modules = layers_in_turn(attentions), _ClosedScores(), once_each(attentions)

    def close(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        edges = hidden(next(turns[id(module)]))
        closed.edges = None if edges is None else edges[..., -_n_keys(args, kwargs, edges.shape[-1]) :]

    def open_again(_module: nn.Module, _args: Any, _kwargs: Any, _output: Any) -> None:
        closed.edges = None

    closing, opening = (before(each, close) for each in modules), (after(each, open_again) for each in modules)
    with put_on(closing), put_on(opening), replacing(), closed:
        yield


def _without(pattern: Tensor, edges: Tensor | None) -> Tensor:
    """A pattern (row, head, query, key) without the hidden places, its rows summing to what they did."""
    if edges is None:
        return pattern
    left = pattern.masked_fill(edges[:, None, :, edges.shape[-1] - pattern.shape[-1] :], 0.0)
    scaled = left * (pattern.sum(-1, keepdim=True) / left.sum(-1, keepdim=True))
    # A row of which nothing is hidden stays what it is to the bit.
    return torch.where(edges.any(-1)[:, None, :, None], scaled, pattern)


def _n_keys(args: tuple[Any, ...], kwargs: dict[str, Any], length: int) -> int:
    """How many keys an attention module sees of a text: those of its mask (row, head, query, key), else all."""
    masks = (each for each in (*args, *kwargs.values()) if isinstance(each, Tensor) and each.dim() == 4)
    return min([length, *(mask.shape[-1] for mask in masks if mask.shape[1] == 1)])


class _ClosedScores(TorchFunctionMode):
    """Closes the hidden places of attention scores, whatever code makes a pattern of them."""

    edges: Tensor | None = None
    """(row, query, key), of the attention module that runs."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if self.edges is not None and func in OVER_SCORES and args:
            args = (_closed(args[0], self.edges), *args[1:])
        return func(*args, **(kwargs or {}))


def _closed(scores: Tensor, edges: Tensor) -> Tensor:
    """Scores (row, head, query, key), or with the heads of all rows as one, that are closed where `edges` are true.

    A sink may stand behind the keys. What is over something else stays as it is.
    """
    n_rows, n_queries, n_keys = edges.shape
    if scores.dim() not in (3, 4) or scores.shape[-2] != n_queries or scores.shape[-1] < n_keys or len(scores) % n_rows:
        return scores
    whole = functional.pad(edges, (0, scores.shape[-1] - n_keys))[:, None]
    by_row = scores.view(n_rows, -1, *scores.shape[-2:])
    return by_row.masked_fill(whole, torch.finfo(scores.dtype).min).view_as(scores)
