"""A text read piece by piece into memory that was taken at once: the same numbers, and no memory taken later."""

from __future__ import annotations

import pytest
import torch
from tiny_models import FAMILIES, tiny_model
from transformers.cache_utils import DynamicLayer

from llm_tracker.models.forward.forward_pass import forward, new_cache
from llm_tracker.models.forward.preallocated_cache import MOST_SPARE, PreallocatedLayer, compact, preallocate

PIECES = torch.arange(5, 5 + 24).view(4, 1, 6)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_logits_behind_every_piece_are_those_of_the_whole_text_at_once(family: str) -> None:
    model = tiny_model(family).model
    cache = new_cache(model)
    assert cache is not None
    preallocate(cache, PIECES.numel())
    with torch.inference_mode():
        in_pieces = [forward(model, piece, cache, last_only=False).logits for piece in PIECES]
        at_once = forward(model, PIECES.view(1, -1), last_only=False).logits
    assert torch.cat(in_pieces, 1).sub(at_once).abs().max() <= 1e-4 * at_once.std()


def test_no_layer_that_grows_with_the_text_takes_memory_after_the_first_piece() -> None:
    model = tiny_model("llama").model
    cache = new_cache(model)
    assert cache is not None
    preallocate(cache, PIECES.numel())
    places = []
    with torch.inference_mode():
        for piece in PIECES:
            forward(model, piece, cache)
            assert all(isinstance(layer, PreallocatedLayer) for layer in cache.layers)
            places.append([(layer.keys.data_ptr(), layer.values.data_ptr()) for layer in cache.layers])
    assert places == [places[0]] * len(PIECES)
    assert cache.get_seq_length() == PIECES.numel()


def test_layers_that_hold_a_sliding_window_stay_as_they_are() -> None:
    cache = new_cache(tiny_model("mistral").model)
    assert cache is not None
    before = list(cache.layers)
    preallocate(cache, 8)
    assert [type(layer) is DynamicLayer for layer in before] == [
        isinstance(each, PreallocatedLayer) for each in cache.layers
    ]
    assert any(layer.is_sliding for layer in cache.layers)


def test_what_it_goes_on_from_stays_as_it_was_and_what_is_kept_of_it_is_small_and_right() -> None:
    model = tiny_model("llama").model
    begun = new_cache(model)
    assert begun is not None
    with torch.inference_mode():
        forward(model, PIECES[0], begun)
        held = [layer.keys.clone() for layer in begun.layers]
        branches = [compact(begun) for _ in range(2)]
        for branch, piece in zip(branches, PIECES[1:3], strict=True):
            preallocate(branch, 1000)
            forward(model, piece, branch)
        at_once = [forward(model, torch.cat([PIECES[0], piece], 1), new_cache(model)) for piece in PIECES[1:3]]
    assert all(torch.equal(layer.keys, keys) for layer, keys in zip(begun.layers, held, strict=True))
    for kept, whole in zip(map(compact, branches), at_once, strict=True):
        for layer, expected in zip(kept.layers, whole.past_key_values.layers, strict=True):
            assert type(layer) is DynamicLayer
            assert layer.keys.untyped_storage().nbytes() <= MOST_SPARE * layer.keys.nbytes
            torch.testing.assert_close(layer.keys, expected.keys, atol=1e-5, rtol=0)
            torch.testing.assert_close(layer.values, expected.values, atol=1e-5, rtol=0)
