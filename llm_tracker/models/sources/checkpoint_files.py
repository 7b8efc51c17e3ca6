"""Which files make a model: its weights in one form, a tokenizer in one of its forms, and the config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llm_tracker.errors import ModelDamagedError
from llm_tracker.languages.texts import say

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
    there. Raises ModelDamagedError for a damaged index.
    """
    for name in FORMS:
        index = directory / f"{name}.index.json"
        if (directory / name).is_file():
            return {name}
        if index.is_file():
            return _indexed(index)
    return {FORMS[0]}


def _indexed(index: Path) -> set[str]:
    """The files that an index names. Raises ModelDamagedError where it names none."""
    places = read_object(index).get("weight_map")
    names = set(map(str, places.values())) if isinstance(places, dict) else set()
    if not names:
        raise ModelDamagedError(
            say("{index} is damaged: it names no weight files. Get the model's files anew.", index=index)
        )
    return names


def pickle_files(directory: Path) -> list[str]:
    """The weight files of a model that are no safetensors, in order."""
    return sorted(name for name in weight_files(directory) if not name.endswith(".safetensors"))


def is_complete(directory: Path) -> bool:
    """Whether a directory holds a config, a tokenizer and every weight file that its index names."""
    try:
        return not missing_files(directory)
    except ModelDamagedError:  # the index
        return False


def missing_files(directory: Path) -> list[str]:
    """What a directory lacks to be a model, for a sentence. Raises ModelDamagedError for a damaged index."""
    names = [*sorted(weight_files(directory)), "config.json"]
    missing = [name for name in names if not (directory / name).is_file()]
    return missing if has_tokenizer(directory) else [*missing, "a tokenizer"]


def has_tokenizer(directory: Path) -> bool:
    """Whether all files of one form of tokenizer are there."""

    def has(pattern: str) -> bool:
        return any(path.is_file() for path in directory.glob(pattern))

    return any(all(map(has, form)) for form in TOKENIZERS)


def read_object(file: Path) -> dict[str, Any]:
    """The names and values that a file holds.

    Raises ModelDamagedError where it holds none, OSError where it is not there.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # the latter of lists in lists in lists
        raise ModelDamagedError(
            say("{file} is damaged: it is no JSON. Get the model's files anew.", file=file)
        ) from error
    if not isinstance(content, dict):
        raise ModelDamagedError(
            say("{file} is damaged: it holds no names with values. Get the model's files anew.", file=file)
        )
    return content
