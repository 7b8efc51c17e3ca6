"""Weight files that hold no weights: pointers, web pages, halves of files. Each is told by its first bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path

from llm_tracker.errors import ModelDamagedError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say

N_READ = 512
MAX_HEADER = 2**30
"""A longer header than this is none."""


def require_weights(files: Iterable[Path]) -> None:
    """Raise ModelDamagedError for a file that is something else than weights, or not all of them; with what to do.

    Files that are not there are not spoken of.
    """
    for file in files:
        told = what_instead(file) if file.is_file() else ""
        if told:
            raise ModelDamagedError(told)


def what_instead(file: Path) -> str:
    """What a weight file is instead, in a sentence, and what to do; "" where nothing speaks against it."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        first = opened.read(N_READ)
    if first.startswith(b"version https://git-lfs"):
        return say(
            "{file} is a Git LFS pointer, not the weights: the repository was cloned without it. Run “git lfs pull” "
            "there.",
            file=file,
        )
    if first.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return say(
            "{file} is a web page, not weights: the link led to a page, perhaps to a login. Download the file itself.",
            file=file,
        )
    if not first:
        return say("{file} is empty. Get it anew.", file=file)
    if file.suffix == ".safetensors":
        needed = _safetensors_bytes(file, first)
        if needed is not None and size < needed:
            return say(
                "{file} is cut off: {n} of {all} bytes are there. Get it anew.",
                file=file,
                n=number(size, ","),
                all=number(needed, ","),
            )
    return ""


def _safetensors_bytes(file: Path, first: bytes) -> int | None:
    """How long a safetensors file has to be by its own header; None where it has none that can be read."""
    if len(first) < 8:
        return None
    (length,) = struct.unpack("<Q", first[:8])
    if length > MAX_HEADER:
        return None
    with file.open("rb") as opened:
        opened.seek(8)
        header = opened.read(length)
    if len(header) < length:
        return 8 + int(length)
    try:
        ends = [int(each["data_offsets"][1]) for name, each in json.loads(header).items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return 8 + int(length) + max(ends, default=0)
