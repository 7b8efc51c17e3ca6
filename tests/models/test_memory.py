"""A model is weighed before it is read: what it takes is known, room is made, and what cannot fit is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_models import tiny_model

import llm_tracker as lt
from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.models import memory
from llm_tracker.models.memory import limit_bytes, private_bytes, require_room, weights_bytes
from llm_tracker.models.pool import ModelPool


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tinyllama_like(tmp_path_factory.mktemp("tinyllama"))


@pytest.mark.parametrize("dtype", ["auto", "float32", "bfloat16", "float16"])
def test_what_weights_take_is_known_before_they_are_read(checkpoint: Path, dtype: str) -> None:
    model = lt.load_model(str(checkpoint), dtype=dtype)
    assert weights_bytes(checkpoint, dtype) == model.weights_bytes


def test_the_built_in_model_is_weighed_without_its_tied_head(embedded: lt.LoadedModel) -> None:
    assert embedded.directory is not None
    assert weights_bytes(embedded.directory) == embedded.weights_bytes


def test_a_model_that_cannot_fit_is_refused_with_the_figures_before_it_is_read(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "limit_bytes", lambda: private_bytes() + 10**6)
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(lt.ModelError, match=r"does not fit: its weights take .* allows \d+\.\d GB, and \d+\.\d GB"):
        lt.load_model(str(checkpoint))


def test_models_are_let_go_before_another_is_read_and_the_rest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    size = tiny_model("llama").weights_bytes
    seen: list[tuple[str, bool]] = []

    def load(name: str, _device: str, _dtype: str, _report: object, make_room: object) -> lt.LoadedModel:
        make_room(size)  # type: ignore[operator]
        seen.append((name, pool.peek("a") is not None))
        return tiny_model("llama")

    pool = ModelPool(int(size * 2.5), load)
    for name in "abc":
        pool.model(name)
    assert seen == [("a", False), ("b", True), ("c", False)]
    held: list[int] = []
    monkeypatch.setattr("llm_tracker.models.pool.require_room", lambda _needed, others=0: held.append(others))
    pool.model("d")
    assert held == [0, size]  # alone, then beside what stays


def test_a_model_that_could_not_fit_even_alone_costs_no_other_one_its_place() -> None:
    def load(name: str, _device: str, _dtype: str, _report: object, make_room: object) -> lt.LoadedModel:
        make_room(10**15 if name == "huge" else 10)  # type: ignore[operator]
        return tiny_model("llama")

    pool = ModelPool(10**9, load)
    pool.model("small")
    with pytest.raises(lt.ModelError, match="does not fit"):
        pool.model("huge")
    assert pool.peek("small") is not None


def test_there_is_room_for_a_small_model_and_none_for_an_endless_one() -> None:
    require_room(10**6)
    with pytest.raises(lt.ModelError, match="Choose a smaller model"):
        require_room(10**15)


def test_the_memory_limit_is_that_of_the_host_or_lower() -> None:
    assert 2**28 < limit_bytes() < 2**50
    assert 0 <= private_bytes() < limit_bytes()
