"""What a model takes on the disk and in memory, before anything of it is loaded; and whether that fits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llm_tracker.errors import ModelDamagedError, one_line
from llm_tracker.languages.texts import say
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.memory.device_memory import WORKING_BYTES, memory_of
from llm_tracker.models.sources.checkpoint_files import is_complete, read_object, weight_files
from llm_tracker.models.sources.gguf import embedded_gguf
from llm_tracker.models.sources.gguf_header import weights_count
from llm_tracker.models.sources.hub import HubModel, cached_model

_BYTES = {"bfloat16": 2, "float16": 2}
"""Of a weight in each number format that takes another number of bytes than float32."""

_WEIGHTS = (".safetensors", ".bin")


@dataclass(frozen=True)
class Weight:
    """What a model takes. None where that is not known."""

    disk_bytes: int | None
    """On this machine, or what a download weighs."""
    memory_bytes: int | None
    """Of its weights, in the number format that they will be loaded in."""


@dataclass(frozen=True)
class Room:
    """The memory that models have on a device."""

    limit_bytes: int
    """What this process may use of it."""
    in_use_bytes: int
    """What it uses now; weights that are mapped from files are not counted."""

    @classmethod
    def of(cls, device: str) -> Room:
        """The room on a device such as cpu or cuda:0."""
        return cls(*memory_of(device))

    @property
    def free_bytes(self) -> int:
        """What is left for weights, beside the memory that reading a text takes."""
        return max(0, self.limit_bytes - self.in_use_bytes - WORKING_BYTES)

    def fit(self, memory_bytes: int) -> Literal["now", "alone", "never"]:
        """Whether weights fit: now, once other models have been let go, or never."""
        if memory_bytes <= self.free_bytes:
            return "now"
        return "alone" if memory_bytes + WORKING_BYTES <= self.limit_bytes else "never"


def weigh(entry: ModelEntry, dtype: str = "auto") -> Weight:
    """What a model takes as far as this machine knows, asking nobody. Raises ModelDamagedError for a damaged file."""
    if entry.source == "plug-in":
        return Weight(None, None)
    if entry.source in ("embedded", "gguf"):
        file = embedded_gguf(entry.location) if entry.source == "embedded" else Path(entry.location)
        memory_bytes = weights_count(file) * _BYTES.get(dtype, 4)
        return Weight(file.stat().st_size, memory_bytes)
    directory = Path(entry.location)
    if entry.source == "hub":
        here = cached_model(entry.location, entry.revision)
        if here is None:
            return Weight(entry.download_bytes, entry.memory_bytes or entry.download_bytes)
        directory = here
    if not is_complete(directory):
        return Weight(None, None)
    return Weight(_files_bytes(directory.iterdir()), weights_bytes(directory, dtype))


def _files_bytes(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files if path.is_file())


def weigh_download(model: HubModel) -> Weight:
    """What a model of the hub will take, by the sizes of its files: its weights in the format they are stored in."""
    stored = [file.size_bytes for file in model.files if file.name.endswith(_WEIGHTS)]
    return Weight(model.size_bytes, sum(stored))


_BITS = {"F64": 64, "F32": 32, "BF16": 16, "F16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}


_FLOATS = {"float64": 64, "float32": 32, "bfloat16": 16, "float16": 16}


def weights_bytes(directory: Path, dtype: str = "auto") -> int:
    """What the weights of a model's directory take in a number format ("auto": the configuration's, else their own).

    Pickle files are not opened for this: their size counts, which is some kilobytes more than their weights. Raises
    ModelDamagedError for a damaged file.
    """
    from safetensors import SafetensorError

    configured = _configured_dtype(directory)
    wanted = configured if dtype == "auto" else dtype
    files = [directory / name for name in sorted(weight_files(directory))]
    try:
        return sum(
            _file_bytes(file, wanted) if file.suffix == ".safetensors" else _pickle_bytes(file, configured, wanted)
            for file in files
            if file.is_file()
        )
    except SafetensorError as error:
        raise ModelDamagedError(
            say("The model in {directory} could not be loaded: {error}", directory=directory, error=one_line(error))
        ) from error


def _configured_dtype(directory: Path) -> str:
    config = read_object(directory / "config.json")
    return str(config.get("dtype") or config.get("torch_dtype") or "")


def _file_bytes(file: Path, dtype: str) -> int:
    from safetensors import safe_open

    total = 0
    with safe_open(file, framework="numpy") as weights:
        for name in weights.keys():  # noqa: SIM118 (it is no mapping)
            stored = weights.get_slice(name)
            is_float = stored.get_dtype().endswith(("F16", "F32", "F64"))
            own = _BITS.get(stored.get_dtype(), 8)
            total += math.prod(stored.get_shape()) * (_FLOATS.get(dtype, own) if is_float else own) // 8
    return total


def _pickle_bytes(file: Path, own: str, wanted: str) -> int:
    """By the file's size, in another format by the ratio of their bits, where both are known."""
    bits = _FLOATS.get(own, 32)
    return file.stat().st_size * _FLOATS.get(wanted, bits) // bits
