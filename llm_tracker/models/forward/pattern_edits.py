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
        edited = self._edit(next(self._layer_of[id(module)]), pattern)
        grouped = edited.shape[1] // value.shape[1]
        values = value.float().repeat_interleave(grouped, dim=1)
        return (edited @ values).to(query.dtype).transpose(1, 2), edited


@contextmanager
def edited_patterns(attentions: Sequence[nn.Module | None], edit: EditPattern) -> Iterator[None]:
    """Within this context, this thread's passes on SDPA use the patterns that `edit` returns: (layer) of modules.

    What is recorded meanwhile is the edited pattern; no KV cache of an earlier text is used or kept.
    """
    token = _edit.set(PatternEdit(attentions, edit))
    try:
        with replacing():
            yield
    finally:
        _edit.reset(token)


def whole_pattern(query: Tensor, key: Tensor, attention_mask: Tensor | None, scaling: float | None) -> Tensor:
    """The pattern (batch, head, query, key) of all queries in float32; without a mask each sees what is before it."""
    n_heads, n_queries, d_head = query.shape[1:]
    keys = key.float().repeat_interleave(n_heads // key.shape[1], dim=1)
    scores = query.float() @ keys.mT * (d_head**-0.5 if scaling is None else scaling)
    n_keys = keys.shape[2]
    if attention_mask is None:  # SDPA's own causal mask, which it aligns with the beginning of a text
        ahead = torch.ones(n_queries, n_keys, dtype=torch.bool, device=query.device).triu(1 + n_keys - n_queries)
        scores = scores.masked_fill(ahead, -torch.inf)
    else:
        mask = attention_mask[..., :n_keys]
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask.float()
    return scores.softmax(-1)


_edit: ContextVar[PatternEdit | None] = ContextVar("attention_edit", default=None)


def edit_of(module: nn.Module) -> PatternEdit | None:
    """The edit of this context that is for an attention module, if there is one."""
    edit = _edit.get()
    return edit if edit is not None and edit.is_for(module) else None
