"""What a model takes on the disk and in memory, before anything of it is loaded; and whether that fits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.gguf import embedded_gguf
from llm_tracker.models.gguf_header import weights_count
from llm_tracker.models.hub import HubModel, cached_model
from llm_tracker.models.memory import WORKING_BYTES, memory_of, weights_bytes
from llm_tracker.models.weight_files import is_complete

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
    """What a model takes as far as this machine knows, asking nobody. Raises ModelError for a damaged file."""
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
            return Weight(entry.download_bytes, entry.download_bytes)
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
