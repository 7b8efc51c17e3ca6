"""A model is let go by hand: its memory comes back, and it is loaded again when it is asked for."""

from __future__ import annotations

import gc
import weakref

from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.models.loading.pool import ModelPool


def pool_of_tiny_models() -> ModelPool:
    return ModelPool(10**9, lambda *_: tiny_model("llama"))


def test_an_unloaded_model_is_gone_and_is_loaded_again_when_asked_for() -> None:
    pool = pool_of_tiny_models()
    first = weakref.ref(pool.model("a"))
    pool.model("b")
    assert pool.unload("a")
    assert pool.peek("a") is None
    assert first() is None, "nothing holds its weights"
    assert pool.peek("b") is not None
    assert isinstance(pool.model("a"), lt.LoadedModel)


def test_what_is_not_in_memory_cannot_be_let_go() -> None:
    assert not pool_of_tiny_models().unload("a")


def test_the_models_in_memory_are_told_in_the_order_of_their_use() -> None:
    pool = pool_of_tiny_models()
    a, b = pool.model("a"), pool.model("b")
    pool.model("a")
    assert pool.held() == [b, a]
    pool.peek("b")
    assert pool.held() == [b, a], "looking is no use"


def test_work_under_way_keeps_a_model_that_is_let_go() -> None:
    pool = pool_of_tiny_models()
    model = pool.model("a")
    pool.unload("a")
    gc.collect()
    assert lt.track(model, "What is it?", recipe="chat", max_new_tokens=2).turns
