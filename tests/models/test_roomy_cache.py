"""A text read piece by piece into memory that was taken at once: the same numbers, and no memory taken later."""

from __future__ import annotations

import pytest
import torch
from tiny_models import FAMILIES, tiny_model
from transformers.cache_utils import DynamicLayer

from llm_tracker.models.forward import forward, new_cache
from llm_tracker.models.roomy_cache import RoomyLayer, give_room

PIECES = torch.arange(5, 5 + 24).view(4, 1, 6)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_logits_behind_every_piece_are_those_of_the_whole_text_at_once(family: str) -> None:
    model = tiny_model(family).model
    cache = new_cache(model)
    assert cache is not None
    give_room(cache, PIECES.numel())
    with torch.inference_mode():
        in_pieces = [forward(model, piece, cache, last_only=False).logits for piece in PIECES]
        at_once = forward(model, PIECES.view(1, -1), last_only=False).logits
    assert torch.cat(in_pieces, 1).sub(at_once).abs().max() <= 1e-4 * at_once.std()


def test_no_layer_that_grows_with_the_text_takes_memory_after_the_first_piece() -> None:
    model = tiny_model("llama").model
    cache = new_cache(model)
    assert cache is not None
    give_room(cache, PIECES.numel())
    places = []
    with torch.inference_mode():
        for piece in PIECES:
            forward(model, piece, cache)
            assert all(isinstance(layer, RoomyLayer) for layer in cache.layers)
            places.append([(layer.keys.data_ptr(), layer.values.data_ptr()) for layer in cache.layers])
    assert places == [places[0]] * len(PIECES)
    assert cache.get_seq_length() == PIECES.numel()


def test_layers_that_hold_a_sliding_window_stay_as_they_are() -> None:
    cache = new_cache(tiny_model("mistral").model)
    assert cache is not None
    before = list(cache.layers)
    give_room(cache, 8)
    assert [type(layer) is DynamicLayer for layer in before] == [isinstance(each, RoomyLayer) for each in cache.layers]
    assert any(layer.is_sliding for layer in cache.layers)
