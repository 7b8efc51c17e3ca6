"""The keys and values of a text that more is to be read behind: kept from an answer, or read once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers import DynamicCache

from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.forward_pass import forward, new_cache
from llm_tracker.models.forward.hooks import is_replacing
from llm_tracker.models.forward.kv_caches import is_plain
from llm_tracker.tracing.decoding import CHUNK_TOKENS

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def known_context(model: LoadedModel, context: Sequence[int], n_more: int) -> DynamicCache | None:
    """The keys and values of all of a context but its last token.

    None of a model that keeps something else, and where they would not hold for a text of `n_more` tokens more.
    """
    ids, switch = list(context[:-1]), rope_switch(model.model)
    if switch is not None and not switch.holds(len(ids), len(context) + n_more):
        return None
    cache, n_read = (new_cache(model.model), 0) if is_replacing() else model.kv_caches.begin(model.model, context)
    if cache is None or not is_plain(cache):
        return None
    n_missing = len(ids) - n_read
    while n_read < len(ids):
        end = n_read + CHUNK_TOKENS[model.way.attention]
        chunk = ids[n_read : end if switch is None else switch.piece_end(n_read, end, len(ids))]
        with model.running, torch.inference_mode():
            forward(model.model, torch.tensor([chunk], device=model.input_device), cache, model.way)
        n_read += len(chunk)
    if n_missing and not is_replacing():
        model.kv_caches.keep(ids, cache)
    return cache
