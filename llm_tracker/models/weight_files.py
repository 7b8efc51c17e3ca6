"""Which files make a model: its weights in one form, a tokenizer in one of its forms, and the config."""

from __future__ import annotations

import json
from pathlib import Path

FORMS = ("model.safetensors", "pytorch_model.bin")
"""The one-file names of the forms that weights come in, the one to prefer first; more files have an index beside."""

TOKENIZERS: tuple[tuple[str, ...], ...] = (
    ("tokenizer.json",),
    ("tokenizer.model",),
    ("vocab.json", "merges.txt"),
    ("vocab.txt",),
    ("spiece.model",),
    ("sentencepiece.bpe.model",),
    ("tekken.json",),
    ("*.tiktoken",),
)
"""The files of each form that a tokenizer comes in, as patterns; all of one form are needed."""


def weight_files(directory: Path) -> set[str]:
    """The names of a model's weight files: of safetensors if there are any, else of pickle files.

    One file, or those that its index names, in the order in which transformers looks for them; they need not all be
    there. Raises ValueError, KeyError, TypeError or AttributeError for a damaged index.
    """
    for name in FORMS:
        index = directory / f"{name}.index.json"
        if (directory / name).is_file():
            return {name}
        if index.is_file():
            return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    return {FORMS[0]}


def pickle_files(directory: Path) -> list[str]:
    """The weight files of a model that are no safetensors, in order."""
    return sorted(name for name in weight_files(directory) if not name.endswith(".safetensors"))


def is_complete(directory: Path) -> bool:
    """Whether a directory holds a config, a tokenizer and every weight file that its index names."""
    try:
        weights = weight_files(directory)
        has_weights = bool(weights) and all((directory / name).is_file() for name in weights)
    except (ValueError, KeyError, TypeError, AttributeError):  # the index is damaged
        return False
    return has_weights and (directory / "config.json").is_file() and has_tokenizer(directory)


def has_tokenizer(directory: Path) -> bool:
    """Whether all files of one form of tokenizer are there."""

    def has(pattern: str) -> bool:
        return any(path.is_file() for path in directory.glob(pattern))

    return any(all(map(has, form)) for form in TOKENIZERS)
