"""Texts that begin alike hold their beginning once, and are read as if each had a copy of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.models.forward.forward_pass import forward, new_cache
from llm_tracker.models.forward.kv_caches import cache_bytes, repeated
from llm_tracker.models.forward.shared_beginning import row_bytes, sharing

FAMILIES = ["llama", "mistral", "gemma2", "gemma3_text", "gpt2"]


def cache_of(model: lt.LoadedModel, n_tokens: int = 9) -> Any:
    cache = new_cache(model.model)
    with torch.inference_mode():
        forward(model.model, torch.arange(3, 3 + n_tokens)[None], cache, model.way)
    return cache


def read(model: lt.LoadedModel, cache: Any, ids: list[list[int]]) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = forward(model.model, torch.tensor(ids), cache, model.way, last_only=False).logits
    return logits


@pytest.mark.parametrize("n_tokens", [3, 9])
@pytest.mark.parametrize("family", FAMILIES)
def test_rows_are_read_as_if_each_had_a_copy(family: str, n_tokens: int) -> None:
    """Several tokens at once, rows that are dropped and doubled, and a window (6) that moves on meanwhile."""
    model = tiny_model(family)
    beginning = cache_of(model, n_tokens)
    caches = [sharing(beginning, 3), repeated(beginning, 3)]
    for ids in ([[40, 41], [50, 51], [60, 61]], [[42], [52], [62]]):
        shared, own = (read(model, cache, ids) for cache in caches)
        torch.testing.assert_close(shared, own, rtol=0, atol=1e-5)
    for cache in caches:
        cache.batch_select_indices(torch.tensor([2, 0, 2, 2]))
    for step in range(6):
        shared, own = (read(model, cache, [[70 + step], [80], [90], [100]]) for cache in caches)
        torch.testing.assert_close(shared, own, rtol=0, atol=1e-5)
        assert caches[0].get_seq_length() == caches[1].get_seq_length() == n_tokens + 4 + step


def test_the_beginning_stays_as_it_was_and_is_not_copied() -> None:
    model = tiny_model("llama")
    beginning = cache_of(model)
    before = [(layer.keys, layer.keys.clone()) for layer in beginning.layers]
    cache = sharing(beginning, 2)
    read(model, cache, [[40], [50]])
    for layer, twin, (keys, copied) in zip(beginning.layers, cache.layers, before, strict=True):
        assert layer.keys is keys
        assert torch.equal(keys, copied)
        assert twin._shared[0] is keys


def test_code_that_reads_the_keys_without_asking_for_them_misses_no_half_of_the_text() -> None:
    cache = sharing(cache_of(tiny_model("llama")), 2)
    assert all(layer.keys is None and layer.values is None for layer in cache.layers)


def test_a_layer_that_reads_anothers_keys_has_none_of_its_own() -> None:
    model = tiny_model("llama")
    beginning = cache_of(model)
    twin = sharing(new_cache(model.model), 2)
    assert [type(layer) for layer in twin.layers] == [type(layer) for layer in beginning.layers]
    assert row_bytes(new_cache(model.model), 5, n_heads=4) == 0


def test_a_row_takes_its_own_tokens_and_one_whole_layer() -> None:
    model = tiny_model("llama")  # 3 layers, 2 heads of keys and 4 of queries, 8 wide, float32
    beginning = cache_of(model, n_tokens=10)
    assert cache_bytes(beginning) == 10 * 3 * 2 * 2 * 8 * 4
    assert row_bytes(beginning, 5, n_heads=4) == 5 * 3 * 2 * 2 * 8 * 4 + 15 * 2 * (2 + 4) * 8 * 4
