"""Whether a model fits: what its weights take in memory, and what this process may use."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
from pathlib import Path

from llm_tracker.errors import ModelError, one_line

WORKING_BYTES = 128 * 2**20
"""What reading a text takes besides the weights: activations, lenses, the first kept KV caches."""

LARGE_BYTES = 4 * 2**20
"""From here on a block of memory is returned to the system when it is freed."""

_M_MMAP_THRESHOLD = -3  # malloc.h

_BITS = {"F64": 64, "F32": 32, "BF16": 16, "F16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}
_FLOATS = {"float32": 32, "bfloat16": 16, "float16": 16}


def weights_bytes(directory: Path, dtype: str = "auto") -> int:
    """What the weights of a directory's safetensors files take in a number format ("auto": each its own).

    Raises ModelError for a damaged file.
    """
    from safetensors import SafetensorError

    try:
        return sum(_file_bytes(file, dtype) for file in sorted(directory.glob("*.safetensors")))
    except SafetensorError as error:
        raise ModelError(f"The model in {directory} could not be loaded: {one_line(error)}") from error


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


def limit_bytes() -> int:
    """What this process may use: the host's memory, or its control group's limit where that is lower."""
    host = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    files = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
    texts = [path.read_text().strip() for path in files if path.is_file()]
    return min([host, *(int(text) for text in texts if text.isdigit())])


def private_bytes() -> int:
    """What this process holds apart from mapped files; 0 where the system does not say (it does on Linux)."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def return_freed_memory() -> None:
    """Let large blocks go back to the system as soon as they are freed (glibc; elsewhere nothing is done).

    glibc otherwise learns to keep them: many short-lived blocks of some 20 MB then hold several hundred MB.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)


def require_room(needed_bytes: int, held_bytes: int = 0) -> None:
    """Raise ModelError, with the figures, where weights of this size don't fit beside what is held already.

    `held_bytes` are the weights of other models that stay in memory; memory-mapped ones are not private.
    """
    limit, private = limit_bytes(), private_bytes()
    if needed_bytes + WORKING_BYTES + held_bytes + private > limit:
        raise ModelError(
            f"The model does not fit: its weights take {_gb(needed_bytes)} and reading {_gb(WORKING_BYTES)} more; this "
            f"machine allows {_gb(limit)}, and {_gb(private + held_bytes)} of that is in use. Choose a smaller model, "
            "or a format with fewer bits (--dtype bfloat16)."
        )


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB"
