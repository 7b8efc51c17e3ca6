"""A text that is read chunk by chunk behind a cache gives the numbers of the text that is read at once."""

from __future__ import annotations

import pytest
import torch
from tiny_models import FAMILIES, tiny_model

from llm_tracker.models.forward.forward_pass import forward, new_cache

CHUNKS = torch.arange(5, 5 + 24).view(4, 1, 6)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_logits_behind_every_chunk_are_those_of_the_whole_text_at_once(family: str) -> None:
    model = tiny_model(family).model
    cache = new_cache(model)
    assert cache is not None
    with torch.inference_mode():
        in_chunks = [forward(model, chunk, cache, last_only=False).logits for chunk in CHUNKS]
        at_once = forward(model, CHUNKS.view(1, -1), last_only=False).logits
    assert torch.cat(in_chunks, 1).sub(at_once).abs().max() <= 1e-4 * at_once.std()
