"""Attention whose pattern is held as it was while a gradient is followed: only the values carry it.

On SDPA by an edit of the pattern that cuts its gradient off. On eager attention the family's own function makes the
pattern, with its caps and sinks, and the values are weighed by that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

from llm_tracker.errors import ModelError
from llm_tracker.models.forward.attention_rows import put_on_attention
from llm_tracker.models.forward.pattern_edits import edited_patterns
from llm_tracker.models.forward.way import Way

FROZEN_EAGER = "llm_tracker_frozen"
"""The attention implementation's name in transformers' registry."""


@contextmanager
def frozen_patterns(model: PreTrainedModel, attentions: Sequence[nn.Module | None], way: Way) -> Iterator[None]:
    """Within this context no gradient goes through this model's attention patterns. Hold its lock meanwhile.

    A family whose attention is code of its own goes on with that, and its gradient goes through the patterns: what is
    made of it has to be checked.
    """
    if way.attention == "sdpa":
        with edited_patterns(attentions, lambda _layer, pattern: pattern.detach()):
            yield
        return
    try:
        model.set_attn_implementation(FROZEN_EAGER)
        yield
    finally:
        put_on_attention(model, way)


def frozen_eager_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **keywords: Any
) -> tuple[Tensor, Tensor]:
    """A family's own eager attention, its pattern (batch, head, query, key) held: (batch, query, head, d_head)."""
    eager = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    if eager is None:
        raise ModelError("This family's attention is code of its own, whose pattern cannot be held.")
    with torch.no_grad():
        _, pattern = eager(module, query, key, value, attention_mask, **keywords)
    values = value.repeat_interleave(pattern.shape[1] // value.shape[1], dim=1)
    return (pattern.detach() @ values).transpose(1, 2).contiguous(), pattern


AttentionInterface.register(FROZEN_EAGER, frozen_eager_attention)
AttentionMaskInterface.register(FROZEN_EAGER, eager_mask)
