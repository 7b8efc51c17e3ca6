"""Models that are split over devices: as a map says, or as there is room; and what is refused, with what to do."""

from __future__ import annotations

import errno
import gc
import json
import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from split_models import gap, write_tiny
from torch.nn import functional
from transformers.models.llama.modeling_llama import LlamaMLP

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.load_options import DeviceMap, LoadOptions
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.loading import device_maps
from llm_tracker.models.loading.pool import ModelPool
from llm_tracker.models.memory import device_memory
from llm_tracker.models.memory.split_weights import is_split
from llm_tracker.models.plugins.load_hook import load_by_plugin
from llm_tracker.models.plugins.manager import collect_plugins
from llm_tracker.models.sources.model_size import Room
from llm_tracker.settings import with_flags

QUESTION = "What is it?"
MIXED = {"": "cpu", "model.layers.1": "disk"}

PLUG_IN = """\
from llm_tracker import ModelEntry, ModelError, hookimpl

@hookimpl
def register_models():
    return [ModelEntry("own", "Own", "plug-in", "somewhere")]

@hookimpl
def load_model(entry, device, dtype):
    raise ModelError(f"told “{device}”")
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny("llama", tmp_path_factory.mktemp("llama") / "model"))


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Whose embeddings and output matrix are one weight."""
    return str(write_tiny("gpt2", tmp_path_factory.mktemp("gpt2") / "model"))


@pytest.fixture(scope="module")
def experts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Whose files have each expert by itself, where the model has all of a layer in one."""
    return str(write_tiny("mixtral", tmp_path_factory.mktemp("mixtral") / "model"))


def on_disk(model: lt.LoadedModel) -> set[str]:
    """The modules whose weights lie on the disk."""
    return {name.rsplit(".", 1)[0] for name, weight in model.model.named_parameters() if weight.is_meta}


def room(monkeypatch: pytest.MonkeyPatch, n_bytes: int) -> None:
    """Lets a split model have so much memory."""
    monkeypatch.setattr(device_maps, "split_room", lambda: {"cpu": n_bytes})


def test_a_map_names_a_few_parts_and_says_where_the_rest_lies(checkpoint: str) -> None:
    model = lt.load_model(checkpoint, device={"": "cpu", "model.layers.1.mlp": "disk", "lm_head": "disk"})
    assert on_disk(model) == {*(f"model.layers.1.mlp.{name}_proj" for name in ("gate", "up", "down")), "lm_head"}
    assert model.device == "cpu + disk"
    assert any(notice.startswith("Its weights are split over devices: 0.0 GB on cpu") for notice in model.notices)
    assert lt.track(model, QUESTION, max_new_tokens=2).model.device == "cpu + disk"


def test_a_map_to_one_place_splits_nothing(checkpoint: str) -> None:
    model = lt.load_model(checkpoint, device={"": "cpu"})
    assert (model.device, is_split(model.model)) == ("cpu", False)


def test_what_has_room_in_memory_is_loaded_whole(checkpoint: str) -> None:
    model = lt.load_model(checkpoint, device="split")
    assert (model.device, is_split(model.model)) == ("cpu", False)
    assert not any("split" in notice for notice in model.notices)


def test_what_has_no_room_in_memory_lies_on_the_disk(checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lt.load_model(checkpoint)
    room(monkeypatch, whole.weights_bytes * 2 // 3)
    split = lt.load_model(checkpoint, device="split")
    assert {"cpu", "disk"} == set(split.bytes_by_place)
    assert split.memory_bytes < whole.weights_bytes * 2 // 3
    traces = [lt.track(model, QUESTION, max_new_tokens=3).turns[0].trace for model in (whole, split)]
    assert gap(*traces) <= 1e-4


def test_the_command_line_splits_a_model_too(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    room(monkeypatch, 100_000)
    assert main(["track", QUESTION, "--model", checkpoint, "--device", "split", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["device"] == "cpu + disk"


def test_nine_tenths_of_what_is_free_is_for_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_memory, "limit_bytes", lambda: 10**10)
    monkeypatch.setattr(device_memory, "private_bytes", lambda: 10**9)
    assert device_memory.split_room() == {"cpu": int(0.9 * (9 * 10**9 - device_memory.WORKING_BYTES))}
    assert device_memory.memory_of("cpu + disk") == device_memory.memory_of("split") == (10**10, 10**9)


def test_every_gpu_has_its_share_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "memory_stats", lambda _: {})
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10**10 * (1 + int(device[-1])), 10**11))
    found = device_memory.split_room()
    assert list(found) == [0, 1, "cpu"]
    assert found[1] - found[0] == int(0.9 * 10**10)
    limit, in_use = device_memory.memory_of("cuda:0 + cuda:1")
    assert (limit, in_use) == (2 * 10**11, 17 * 10**10)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"": "cpu", "model.layer.1": "disk"}, r"names “model.layer.1”, .* no such part\. It has model, model.embed"),
        ({"model.layers": "disk"}, r"does not say where “model.embed_tokens” lies\. Name it, or say under “”"),
        ({}, "does not say where the model lies"),
        ({"": "cpu", "lm_head": 7}, r"puts “lm_head” on “cuda:7”, which is not here\. Choose from: .*cpu, disk"),
        ({"": "cpu", "lm_head": "gpu"}, r"puts “lm_head” on “gpu”, which is not here"),
    ],
)
def test_a_map_that_does_not_suit_the_model_is_refused(
    places: dict[str, str | int], said: str, checkpoint: str
) -> None:
    with pytest.raises(lt.ModelError, match=said) as caught:
        lt.load_model(checkpoint, device=places)
    assert not isinstance(caught.value, lt.ModelDamagedError)
    assert with_flags(caught.value).endswith("(llm-tracker: --device)")


def test_one_weight_cannot_lie_in_two_places(tied: str) -> None:
    with pytest.raises(
        lt.ModelError, match=r"“lm_head.weight” on “disk” and “transformer.wte.weight” on “cpu”, .*same"
    ):
        lt.load_model(tied, device={"": "cpu", "lm_head": "disk"})


def test_what_is_stored_in_another_form_is_written_out_and_goes_with_the_model(experts: str, own_cache: Path) -> None:
    model = lt.load_model(experts, device=MIXED)
    (folder,) = (own_cache / "offload").iterdir()
    assert {"mlp.experts" in file.name for file in folder.iterdir()} == {True}
    whole = lt.load_model(experts)
    traces = [lt.track(each, QUESTION, max_new_tokens=3).turns[0].trace for each in (whole, model)]
    assert gap(*traces) <= 1e-4
    del model, traces
    gc.collect()
    assert list((own_cache / "offload").iterdir()) == []


def test_pickled_weights_are_written_out_too(checkpoint: str, tmp_path: Path, own_cache: Path) -> None:
    whole = lt.load_model(checkpoint)
    directory = Path(shutil.copytree(checkpoint, tmp_path / "model"))
    (directory / "model.safetensors").unlink()
    torch.save(whole.model.state_dict(), directory / "pytorch_model.bin")
    split = lt.load_model(str(directory), device=MIXED, trust=lt.Trust(pickle=True))
    (folder,) = (own_cache / "offload").iterdir()
    assert all(file.name.startswith("model.layers.1.") for file in folder.iterdir())
    assert len(list(folder.iterdir())) == 9
    traces = [lt.track(each, QUESTION, max_new_tokens=3).turns[0].trace for each in (whole, split)]
    assert gap(*traces) <= 1e-4


def test_what_a_process_that_is_gone_has_left_is_cleared_away(checkpoint: str, own_cache: Path) -> None:
    left, other = own_cache / "offload" / f"{2**22 + 1}-x", own_cache / "offload" / f"{os.getpid()}-x"
    for folder in (left, other):
        folder.mkdir(parents=True)
    lt.load_model(checkpoint, device=MIXED)
    assert (left.exists(), other.exists()) == (False, True)


def test_a_disk_without_room_is_refused_before_anything_is_written(
    experts: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6, 10))
    with pytest.raises(
        lt.ModelTooLargeError, match=r"no room .* up to 0\.0 GB .* Make room there, or choose a smaller"
    ):
        lt.load_model(experts, device=MIXED)
    assert list((own_cache / "offload").iterdir()) == []


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), RuntimeError("I/O: No space left on device")])
def test_a_disk_that_fills_up_meanwhile_is_told_as_that(
    error: Exception, experts: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("transformers.integrations.accelerate.save_file", fail)
    with pytest.raises(lt.ModelTooLargeError, match="The disk has no room for the model's weights: more of them"):
        lt.load_model(experts, device=MIXED)
    assert list((own_cache / "offload").iterdir()) == []


def test_what_accelerate_cannot_split_is_refused_with_its_reason(
    checkpoint: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise ValueError("no hooks here")

    monkeypatch.setattr("transformers.modeling_utils.accelerate_dispatch", fail)
    with pytest.raises(
        lt.ModelError, match=r"not be split over devices: ValueError \(no hooks here\)\. Choose one device"
    ):
        lt.load_model(checkpoint, device=MIXED)


def test_code_that_reads_a_weight_past_its_module_is_refused_and_runs_whole(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(self: Any, rows: torch.Tensor) -> Any:
        return functional.linear(self.act_fn(self.gate_proj(rows)) * self.up_proj(rows), self.down_proj.weight)

    monkeypatch.setattr(LlamaMLP, "forward", forward)
    assert lt.load_model(checkpoint).proof.ok
    with pytest.raises(lt.ModelError, match=r"would give other numbers: .* \(linear\)\. Load it on one device"):
        lt.load_model(checkpoint, device=MIXED)


def test_a_damaged_weight_on_the_disk_is_found_there(tmp_path: Path) -> None:
    directory = write_tiny("llama", tmp_path / "model")
    whole = lt.load_model(str(directory)).model
    projection: Any = whole.model.layers[1].mlp.up_proj
    projection.weight = torch.nn.Parameter(torch.full_like(projection.weight, torch.nan))
    whole.save_pretrained(directory)
    with pytest.raises(lt.ModelDamagedError, match=r"NaN or infinite, first in layer 2 \(model.layers.1.mlp.up_proj"):
        lt.load_model(str(directory), device=MIXED)


def test_a_model_that_does_not_fit_is_told_that_it_can_be_split(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_memory, "limit_bytes", lambda: device_memory.private_bytes() + 10**6)
    with pytest.raises(lt.ModelTooLargeError, match=r"Or let it be split over all devices and the disk") as caught:
        lt.load_model(checkpoint, device="cpu")
    assert with_flags(caught.value).endswith("(llm-tracker: --dtype, --device)")
    assert lt.load_model(checkpoint, device="split").device == "disk", "nothing has room in memory"


def test_models_in_memory_go_for_a_split_one_which_has_room_in_any_case(checkpoint: str, tied: str) -> None:
    pool = ModelPool(10**5)
    pool.model(checkpoint)
    split = pool.model(tied, LoadOptions("split"))
    assert pool.held() == [split]
    assert Room.of(split.device).limit_bytes > 0


def test_what_lies_on_the_disk_takes_none_of_the_pools_memory(checkpoint: str, tied: str) -> None:
    pool = ModelPool(4 * lt.load_model(checkpoint).weights_bytes)
    several = [pool.model(tied, LoadOptions({"": "disk", f"transformer.h.{at}": "cpu"})) for at in range(3)]
    assert pool.held() == several
    assert sum(model.weights_bytes for model in several) > pool.budget_bytes


def test_a_map_is_a_value_whatever_its_order(checkpoint: str) -> None:
    one, other = {"": "cpu", "model.layers.1": "disk"}, {"model.layers.1": "disk", "": "cpu"}
    assert LoadOptions(one) == LoadOptions(other)
    assert hash(LoadOptions(one)) == hash(LoadOptions(other))
    assert LoadOptions({"": 0}) == LoadOptions({"": "cuda:0"}) != LoadOptions("cuda:0")
    assert repr(DeviceMap({"": 0})) == "{'': 'cuda:0'}"
    pool = ModelPool(10**9)
    assert pool.model(checkpoint, LoadOptions(one)) is pool.model(checkpoint, LoadOptions(other))
    assert pool.peek(checkpoint) is None


@pytest.mark.parametrize("device", ["split", {"": "cpu"}])
def test_a_plug_in_is_told_of_a_split_in_one_word(device: Any, tmp_path: Path) -> None:
    (tmp_path / "loader.py").write_text(PLUG_IN, encoding="utf-8")
    entry = ModelEntry("own", "Own", "plug-in", "somewhere")
    with pytest.raises(lt.ModelError, match="told “split”"):
        load_by_plugin(entry, LoadOptions(device), collect_plugins(tmp_path))
