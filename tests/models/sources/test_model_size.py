"""What a model takes is known before it is read, and whether that fits."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFWriter
from tiny_models import tiny_network, tiny_tokenizer

import llm_tracker as lt
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA, ModelEntry
from llm_tracker.models.memory import device_memory as memory
from llm_tracker.models.memory.device_memory import WORKING_BYTES, private_bytes
from llm_tracker.models.sources import model_size as weighing
from llm_tracker.models.sources.gguf import converted, embedded_gguf
from llm_tracker.models.sources.gguf_header import weights_count
from llm_tracker.models.sources.hub import HubFile, HubModel
from llm_tracker.models.sources.model_size import Room, Weight, weigh, weigh_download
from llm_tracker.progress import silent


@pytest.fixture
def gguf_file(tmp_path: Path) -> Path:
    """A file with metadata of every kind and two tensors."""
    writer = GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_context_length(64)
    writer.add_token_list(["a", "bc", "def"])
    writer.add_array("some.numbers", [1, 2, 3])
    writer.add_bool("some.flag", True)
    writer.add_float64("some.double", 0.5)
    writer.add_tensor("one", np.zeros((3, 5), dtype=np.float32))
    writer.add_tensor("two", np.zeros(7, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "tiny.gguf"


def test_a_gguf_files_header_says_how_many_weights_it_has(gguf_file: Path) -> None:
    assert weights_count(gguf_file) == 3 * 5 + 7
    entry = ModelEntry("x", "x", "gguf", str(gguf_file))
    assert weigh(entry) == Weight(gguf_file.stat().st_size, 22 * 4), "they are read as float32"
    assert weigh(entry, "bfloat16").memory_bytes == 22 * 2


@pytest.mark.parametrize("damage", [lambda data: data[:60], lambda _data: b"", lambda _data: b"GGUFfffffffffffff"])
def test_a_file_that_is_no_whole_gguf_file_is_a_sentence(gguf_file: Path, damage: object) -> None:
    gguf_file.write_bytes(damage(gguf_file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(lt.ModelError, match=r"tiny.gguf is no whole GGUF file. Get it anew."):
        weights_count(gguf_file)


def header(*parts: tuple[str, *tuple[int, ...]], n_tensors: int = 0, n_values: int = 0) -> bytes:
    """The beginning of a GGUF file, with numbers of these formats behind it."""
    return b"GGUF" + struct.pack("<IQQ", 3, n_tensors, n_values) + b"".join(struct.pack(*part) for part in parts)


NO_NAME = ("<Q", 0)


@pytest.mark.parametrize(
    "data",
    [
        header(("<Q", 2**63), n_values=1),
        header(NO_NAME, ("<I", 8), ("<Q", 2**64 - 1), n_values=1),
        header(NO_NAME, ("<IIQ", 9, 4, 2**63), n_values=1),
        header(NO_NAME, ("<I", 9), *[("<IQ", 9, 1)] * 3000, n_values=1),
        header(n_values=2**63),
        header(NO_NAME, ("<I5Q", 5, 1, 1, 1, 1, 1), ("<IQ", 0, 0), n_tensors=1),
        header(NO_NAME, ("<I2Q", 2, 2**40, 2**40), ("<IQ", 0, 0), n_tensors=1),
    ],
)
def test_lengths_and_depths_that_no_file_has_are_a_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(data + bytes(40))
    with pytest.raises(lt.ModelError, match=r"bad.gguf is no whole GGUF file. Get it anew."):
        weights_count(tmp_path / "bad.gguf")


def test_a_gguf_file_that_does_not_fit_is_refused_before_it_is_read(
    gguf_file: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "limit_bytes", lambda: private_bytes() + 10**6)
    with pytest.raises(lt.ModelError, match=r"tiny.gguf could not be converted: The model does not fit: its weights"):
        converted(gguf_file, silent)


@pytest.mark.real
def test_the_built_in_model_takes_what_was_said_before_it_was_loaded(embedded: lt.LoadedModel) -> None:
    assert weigh(EMBEDDED).memory_bytes == embedded.weights_bytes
    assert weigh(EMBEDDED).disk_bytes == embedded_gguf(EMBEDDED.location).stat().st_size


def test_a_directory_is_weighed_by_its_files_and_an_incomplete_one_not_at_all(tmp_path: Path) -> None:
    network = tiny_network("llama")
    network.save_pretrained(tmp_path)
    entry = ModelEntry("x", "x", "directory", str(tmp_path))
    assert weigh(entry) == Weight(None, None)
    tiny_tokenizer().save_pretrained(tmp_path)
    weight = weigh(entry)
    assert weight.memory_bytes == sum(each.nbytes for each in network.state_dict().values())
    assert weight.disk_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert weigh(entry, "bfloat16").memory_bytes == weight.memory_bytes // 2


def test_a_hub_model_that_is_not_here_weighs_what_the_catalogue_or_the_hub_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weighing, "cached_model", lambda *_: None)
    assert weigh(TINYLLAMA) == Weight(TINYLLAMA.download_bytes, TINYLLAMA.download_bytes)
    files = (HubFile("model.safetensors", 900, None), HubFile("tokenizer.json", 70, None))
    assert weigh_download(HubModel("a/b", None, "c" * 40, files)) == Weight(970, 900)


@pytest.mark.parametrize(
    ("memory_bytes", "fits"),
    [(100, "now"), (101, "alone"), (300, "alone"), (301, "never")],
)
def test_weights_fit_now_or_alone_or_never(memory_bytes: int, fits: str) -> None:
    room = Room(limit_bytes=300 + WORKING_BYTES, in_use_bytes=200)
    assert room.free_bytes == 100
    assert room.fit(memory_bytes) == fits


def test_there_is_never_less_than_no_room() -> None:
    assert Room(10, 20).free_bytes == 0
