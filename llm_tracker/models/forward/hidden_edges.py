"""Attention edges that are cut: positions that chosen queries cannot look at, in chosen layers (Geva et al., 2023).

The scores of hidden places are closed before the softmax. On SDPA the pattern is made for it, some queries at a time.
Families that run on eager attention make theirs in code of their own, with a mask of their own kind or none, but all of
them by a softmax: its scores are closed in those places.
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
from llm_tracker.models.forward.pattern_edits import PatternEdit, attention_scores, edited_attention, for_heads

if TYPE_CHECKING:
    from llm_tracker.models.forward.way import Way

Hidden = Callable[[int], Tensor | None]
"""Is given the layer's index (0-based); returns what is hidden there, true in (row, query, key) of the text's last
queries and all its keys, or None."""

OVER_SCORES = frozenset({functional.softmax, torch.softmax, Tensor.softmax, torch.logsumexp, Tensor.logsumexp})
"""What makes a pattern of scores, or the share that a sink takes of it."""


QUERIES = 128
"""Queries whose patterns are made at a time: all those of a long text would take much memory."""


@contextmanager
def hidden_edges(attentions: Sequence[nn.Module | None], way: Way, hidden: Hidden) -> Iterator[None]:
    """Within this context this thread's passes cannot look along the hidden edges: (layer) of attention modules.

    No KV cache of an earlier text is used or kept meanwhile. A family may make its pattern in another way: whether a
    place was really hidden is seen in the rows that are recorded.
    """
    if way.attention == "sdpa":
        with edited_attention(_ClosedPlaces(attentions, hidden)):
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


class _ClosedPlaces(PatternEdit):
    """Attention on SDPA whose scores are closed in the hidden places."""

    def __init__(self, attentions: Sequence[nn.Module | None], hidden: Hidden) -> None:
        super().__init__(attentions, lambda _layer, pattern: pattern)
        self._hidden = hidden

    def output(
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None,
    ) -> tuple[Tensor, Tensor]:
        """The attention output (row, query, head, d_head), and the pattern (row, head, query, key) of the last ones."""
        edges, (keys, values) = self._hidden(self.layer(module)), (for_heads(each, query) for each in (key, value))
        outputs, pattern = [], query
        for first in range(0, query.shape[2], QUERIES):
            end = min(first + QUERIES, query.shape[2])
            scores = attention_scores(query, keys, attention_mask, scaling, first, end)
            if edges is not None:
                own = edges[:, None, first:end, edges.shape[-1] - scores.shape[-1] :]
                scores = scores.masked_fill(own.to(scores.device), -torch.inf)
            pattern = scores.softmax(-1)
            outputs.append((pattern @ values).to(query.dtype))
        return torch.cat(outputs, dim=2).transpose(1, 2), pattern


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
    return by_row.masked_fill(whole.to(scores.device), torch.finfo(scores.dtype).min).view_as(scores)
