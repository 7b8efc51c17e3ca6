"""A model is weighed before it is read: what it takes is known, room is made, and what cannot fit is refused."""

from __future__ import annotations

import json
import os
import shutil
import threading
import weakref
from pathlib import Path

import pytest
import torch
from tiny_models import tiny_model

import llm_tracker as lt
from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.models.loading import load as loading
from llm_tracker.models.loading import pool
from llm_tracker.models.loading.load import MakeRoom
from llm_tracker.models.loading.pool import ModelPool
from llm_tracker.models.memory import device_memory as memory
from llm_tracker.models.memory.device_memory import limit_bytes, private_bytes, require_room
from llm_tracker.models.sources.model_size import weights_bytes


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


def test_the_configurations_format_is_what_is_read_and_other_files_are_not_weighed(
    checkpoint: Path, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(checkpoint, tmp_path / "model"))
    shutil.copy(directory / "model.safetensors", directory / "consolidated.safetensors")
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**config, "dtype": "float32"}))
    assert weights_bytes(directory) == lt.load_model(str(directory)).weights_bytes


@pytest.mark.parametrize("damage", ["{", "[]", "[" * 100_000, "\xff"])
def test_a_damaged_configuration_is_a_sentence(damage: str, checkpoint: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(checkpoint, tmp_path / "model"))
    (directory / "config.json").write_text(damage, encoding="latin-1")
    with pytest.raises(lt.ModelError, match=r"config\.json is damaged: it .*\. Get the model's files anew\."):
        weights_bytes(directory)


def test_a_model_that_cannot_fit_is_refused_with_the_figures_before_it_is_read(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "limit_bytes", lambda: private_bytes() + 10**6)
    monkeypatch.setattr(loading, "_from_directory", lambda *_: pytest.fail("it was read"))
    with pytest.raises(lt.ModelError, match=r"does not fit: its weights take .* allows \d+\.\d GB, and \d+\.\d GB"):
        lt.load_model(str(checkpoint), device="cpu")


def test_models_are_let_go_before_another_is_read() -> None:
    size = tiny_model("llama").weights_bytes
    seen: list[tuple[str, bool]] = []

    def load(name: str, _options: object, _report: object, make_room: MakeRoom) -> lt.LoadedModel:
        make_room(size, "cpu")
        seen.append((name, pool.peek("a") is not None))
        return tiny_model("llama")

    pool = ModelPool(int(size * 2.5), load)
    for name in "abc":
        pool.model(name)
    assert seen == [("a", False), ("b", True), ("c", False)]


def test_models_are_let_go_as_long_as_another_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_name: str, _options: object, _report: object, make_room: MakeRoom) -> lt.LoadedModel:
        make_room(10, "cpu")
        return tiny_model("llama")

    pool = ModelPool(10**9, load)
    for name in "abc":
        pool.model(name)
    monkeypatch.setattr("llm_tracker.models.loading.pool.has_room", lambda *_: len(pool._models) < 2)
    pool.model("d")
    assert [pool.peek(name) is not None for name in "abcd"] == [False, False, True, True]


def test_what_another_thread_is_loading_has_its_room_reserved() -> None:
    inside, go = threading.Event(), threading.Event()

    def load(name: str, _options: object, _report: object, make_room: MakeRoom) -> lt.LoadedModel:
        make_room(limit_bytes() * 2 // 3, "cpu")
        if name == "first":
            inside.set()
            assert go.wait(20)
        return tiny_model("llama")

    pool = ModelPool(10**15, load)
    thread = threading.Thread(target=pool.model, args=("first",))
    thread.start()
    assert inside.wait(20)
    with pytest.raises(lt.ModelError, match="does not fit"):
        pool.model("second")
    go.set()
    thread.join()
    assert pool.model("second") is not None, "the reservation went with the load"


def test_a_model_that_could_not_fit_even_alone_costs_no_other_one_its_place() -> None:
    def load(name: str, _options: object, _report: object, make_room: MakeRoom) -> lt.LoadedModel:
        make_room(10**15 if name == "huge" else 10, "cpu")
        return tiny_model("llama")

    pool = ModelPool(10**9, load)
    pool.model("small")
    with pytest.raises(lt.ModelError, match="does not fit"):
        pool.model("huge")
    assert pool.peek("small") is not None


@pytest.mark.parametrize("is_mapped", [True, False])
def test_models_are_let_go_only_where_that_makes_room(monkeypatch: pytest.MonkeyPatch, is_mapped: bool) -> None:
    """Weights that are mapped from a file are not in use: letting them go frees nothing."""
    in_use = [10**9]

    def load(_name: str, _options: object, _report: object, make_room: MakeRoom) -> lt.LoadedModel:
        make_room(2 * 10**9, "cpu")
        model = tiny_model("llama")
        object.__setattr__(model, "weights_bytes", 2 * 10**9)
        if not is_mapped:
            in_use[0] += 2 * 10**9
            weakref.finalize(model, in_use.__setitem__, 0, 10**9)
        return model

    for module in (memory, pool):
        monkeypatch.setattr(module, "private_bytes", lambda: in_use[0])
    monkeypatch.setattr(memory, "limit_bytes", lambda: 4 * 10**9)
    models = ModelPool(10**12, load)
    models.model("small")
    if is_mapped:
        in_use[0] = 3 * 10**9  # by something else
        with pytest.raises(lt.ModelError, match="does not fit"):
            models.model("other")
    else:
        models.model("other")
    assert (models.peek("small") is not None) is is_mapped


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_of_a_gpu_what_torch_could_give_back_is_not_in_use(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    stats = {"reserved_bytes.all.current": 50, "allocated_bytes.all.current": 30, "inactive_split_bytes.all.current": 5}
    monkeypatch.setattr(torch.cuda, "memory_stats", lambda of: (asked.append(of), stats)[1])
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda of: (asked.append(of), (20, 100))[1])
    assert memory.memory_of(device) == (100, 100 - 20 - (50 - 30 - 5))
    assert asked == [device, device]


@pytest.mark.parametrize(("on_the_cpu", "advice"), [(10**12, "fewer bits or on the CPU"), (10**9, r"fewer bits\.$")])
def test_the_cpu_is_named_only_where_it_has_room(on_the_cpu: int, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = {"cuda": (10**9, 0), "cpu": (on_the_cpu, 0)}
    monkeypatch.setattr(memory, "memory_of", rooms.__getitem__)
    with pytest.raises(lt.ModelError, match=f"the device cuda allows 1.0 GB, .*{advice}"):
        require_room(2 * 10**9, "cuda")


def test_there_is_room_for_a_small_model_and_none_for_an_endless_one() -> None:
    require_room(10**6)
    with pytest.raises(lt.ModelError, match="Choose a smaller model"):
        require_room(10**15)


def test_the_memory_limit_is_that_of_the_host_or_lower() -> None:
    assert 2**28 < limit_bytes() < 2**50
    assert limit_bytes() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 <= private_bytes() < limit_bytes()
