"""Other attention patterns in the place of a model's own: how the site `pattern` is replaced.

SDPA never makes a pattern, so no hook can replace one. While an edit is on, the attention function makes the pattern
itself in float32, hands it to the edit, and weighs the values by what comes back. Families that run on eager attention
keep theirs inside their own code: there a pattern can be read only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from llm_tracker.models.forward.hooks import layers_in_turn, replacing

EditPattern = Callable[[int, Tensor], Tensor]
"""Is given the layer's index (0-based) and its pattern (1, head, query, key) in float32; returns the one to use."""


class PatternEdit:
    """Puts other attention patterns in the place of a model's own, on SDPA."""

    def __init__(self, attentions: Sequence[nn.Module | None], edit: EditPattern) -> None:
        self._layer_of = layers_in_turn(attentions)
        self._edit = edit

    def is_for(self, module: nn.Module) -> bool:
        """Whether the module's pattern is edited."""
        return id(module) in self._layer_of

    def output(
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None,
    ) -> tuple[Tensor, Tensor]:
        """The attention output (batch, query, head, d_head) of the edited pattern, and that (1, head, query, key)."""
        pattern = whole_pattern(query, key, attention_mask, scaling)
        edited = self._edit(self.layer(module), pattern)
        return (edited @ for_heads(value, query)).to(query.dtype).transpose(1, 2), edited

    def layer(self, module: nn.Module) -> int:
        """The index (0-based) of the layer whose turn it is, of those that share this module."""
        return next(self._layer_of[id(module)])


@contextmanager
def edited_patterns(attentions: Sequence[nn.Module | None], edit: EditPattern) -> Iterator[None]:
    """Within this context, this thread's passes on SDPA use the patterns that `edit` returns: (layer) of modules.

    What is recorded meanwhile is the edited pattern; no KV cache of an earlier text is used or kept.
    """
    with edited_attention(PatternEdit(attentions, edit)):
        yield


@contextmanager
def edited_attention(edit: PatternEdit) -> Iterator[None]:
    """Within this context, this thread's passes on SDPA take their attention's output from an edit."""
    token = _edit.set(edit)
    try:
        with replacing():
            yield
    finally:
        _edit.reset(token)


def whole_pattern(query: Tensor, key: Tensor, attention_mask: Tensor | None, scaling: float | None) -> Tensor:
    """The pattern (batch, head, query, key) of all queries in float32; without a mask each sees what is before it."""
    return attention_scores(query, for_heads(key, query), attention_mask, scaling, 0, query.shape[2]).softmax(-1)


def for_heads(of_groups: Tensor, query: Tensor) -> Tensor:
    """Keys or values (batch, kv_head, key, d_head) in float32, once for each query head."""
    return of_groups.float().repeat_interleave(query.shape[1] // of_groups.shape[1], dim=1)


def attention_scores(
    query: Tensor, keys: Tensor, attention_mask: Tensor | None, scaling: float | None, first: int, end: int
) -> Tensor:
    """The masked scores (batch, head, query, key) of the queries from `first` to before `end`, in float32.

    `keys` are those of each head. Without a mask each query sees what is before it.
    """
    n_queries, d_head = query.shape[2:]
    scores = query[:, :, first:end].float() @ keys.mT * (d_head**-0.5 if scaling is None else scaling)
    n_keys = keys.shape[2]
    if attention_mask is None:  # SDPA's own causal mask, which it aligns with the beginning of a text
        places = torch.arange(n_keys, device=query.device)
        ahead = places > torch.arange(first, end, device=query.device)[:, None] + n_keys - n_queries
        return scores.masked_fill(ahead, -torch.inf)
    mask = attention_mask[..., :n_keys] if attention_mask.shape[-2] == 1 else attention_mask[..., first:end, :n_keys]
    return scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask.float()


_edit: ContextVar[PatternEdit | None] = ContextVar("attention_edit", default=None)


def edit_of(module: nn.Module) -> PatternEdit | None:
    """The edit of this context that is for an attention module, if there is one."""
    edit = _edit.get()
    return edit if edit is not None and edit.is_for(module) else None
