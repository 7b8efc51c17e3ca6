"""Which files make a model: safetensors first, all shards of an index, and a tokenizer in any of its forms."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hub_server import HubServer
from hub_steps import NAME, failure

import llm_tracker as lt
from llm_tracker.models.sources.checkpoint_files import is_complete, pickle_files, weight_files


@pytest.fixture
def directory(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "model"))


def write_index(directory: Path, name: str, shards: list[str]) -> None:
    index = {"metadata": {}, "weight_map": {f"weight.{number}": shard for number, shard in enumerate(shards)}}
    (directory / f"{name}.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (["model.safetensors", "pytorch_model.bin"], {"model.safetensors"}),
        (["model.safetensors.index.json", "pytorch_model.bin"], {"a.safetensors", "b.safetensors"}),
        (["pytorch_model.bin", "pytorch_model.bin.index.json"], {"pytorch_model.bin"}),
        (["pytorch_model.bin.index.json"], {"a.bin", "b.pt"}),
        ([], {"model.safetensors"}),
    ],
)
def test_safetensors_come_before_pickle_files_and_one_file_before_an_index(
    present: list[str], expected: set[str], tmp_path: Path
) -> None:
    for name in present:
        (tmp_path / name).touch()
    if "model.safetensors.index.json" in present:
        write_index(tmp_path, "model.safetensors", ["a.safetensors", "b.safetensors", "a.safetensors"])
    if "pytorch_model.bin.index.json" in present:
        write_index(tmp_path, "pytorch_model.bin", ["a.bin", "b.pt"])
    assert weight_files(tmp_path) == expected
    assert pickle_files(tmp_path) == sorted(name for name in expected if not name.endswith(".safetensors"))


def test_a_pickle_file_in_an_index_of_safetensors_counts_as_one(tmp_path: Path) -> None:
    write_index(tmp_path, "model.safetensors", ["a.safetensors", "b.bin"])
    assert pickle_files(tmp_path) == ["b.bin"]


@pytest.mark.parametrize(
    "index", ["{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {}}', '{"weight_map": {"a": 1}}']
)
def test_a_damaged_index_counts_as_incomplete(index: str, directory: Path) -> None:
    assert is_complete(directory)
    (directory / "model.safetensors").unlink()
    (directory / "model.safetensors.index.json").write_text(index)
    assert not is_complete(directory)
    assert ("it lacks 1." if '"a": 1' in index else "index.json is damaged") in failure(str(directory))


def test_a_shard_that_is_missing_counts_as_incomplete(directory: Path) -> None:
    (directory / "model.safetensors").rename(directory / "a.safetensors")
    write_index(directory, "model.safetensors", ["a.safetensors", "b.safetensors"])
    assert not is_complete(directory)
    (directory / "b.safetensors").touch()
    assert is_complete(directory)


@pytest.mark.parametrize(
    ("files", "whole"),
    [
        (["tokenizer.json"], True),
        (["tokenizer.model"], True),
        (["vocab.json", "merges.txt"], True),
        (["qwen.tiktoken"], True),
        (["vocab.json"], False),
        (["tokenizer_config.json"], False),
    ],
)
def test_a_tokenizer_comes_in_several_forms(files: list[str], whole: bool, directory: Path) -> None:
    for path in directory.glob("*token*"):
        path.unlink()
    assert not is_complete(directory)
    for name in files:
        (directory / name).touch()
    assert is_complete(directory) is whole


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_a_repository_that_lacks_a_part_is_named_with_the_part(hub: HubServer, name: str) -> None:
    (hub.root / NAME / name).unlink()
    part = "a tokenizer" if name == "tokenizer.json" else name
    assert failure().startswith(f"“{NAME}” was downloaded and is no whole model: its repository lacks {part}. Choose")


def test_a_repository_whose_index_is_damaged_is_told(hub: HubServer) -> None:
    weights = hub.root / NAME / "model.safetensors"
    weights.rename(weights.with_name("model-00001-of-00001.safetensors"))
    weights.with_name("model.safetensors.index.json").write_text("{")
    assert "model.safetensors.index.json is damaged: it is no JSON." in failure()


def test_a_model_without_a_chat_template_says_so(directory: Path) -> None:
    assert not any("chat template" in notice for notice in lt.load_model(str(directory)).notices)
    (directory / "tokenizer_config.json").unlink()
    (directory / "chat_template.jinja").unlink(missing_ok=True)
    (notice,) = [each for each in lt.load_model(str(directory)).notices if "chat template" in each]
    assert notice.startswith("No chat template was found beside this model: questions are put to it as “Q: … A:”.")
