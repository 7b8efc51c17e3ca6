"""Whether a model fits: what its weights take in memory, and what this process may use."""

from __future__ import annotations

import contextlib
import ctypes
import math
from pathlib import Path

import psutil

from llm_tracker.errors import ModelError, one_line
from llm_tracker.models.json_files import read_object
from llm_tracker.models.weight_files import weight_files

WORKING_BYTES = 128 * 2**20
"""What reading a text takes besides the weights: activations, lenses, the first kept KV caches."""

LARGE_BYTES = 26 * 2**20
"""From here on a block of memory is returned to the system when it is freed. More than a chunk of logits takes
(`read_out.CHUNK_BYTES`): most chunks use memory again (see `trim_heap`), where new memory costs a page fault for every
4 KB."""

KEPT_BYTES = 26 * 2**20
"""Of smaller blocks that were freed, how much is kept for the next ones instead of being returned."""

ARENAS = 2
"""Heaps that threads share (glibc). Else there are up to eight a core, of which each keeps `KEPT_BYTES` for itself."""

_NOT_GLIBC = (OSError, AttributeError, TypeError)
"""What asking for its functions raises elsewhere."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h

_CUDA_BYTES = ("reserved", "allocated", "inactive_split")
"""torch's names for what it holds of a GPU, what tensors take of it, and what is free between them."""

_BITS = {"F64": 64, "F32": 32, "BF16": 16, "F16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}
_FLOATS = {"float64": 64, "float32": 32, "bfloat16": 16, "float16": 16}


def weights_bytes(directory: Path, dtype: str = "auto") -> int:
    """What the weights of a model's directory take in a number format ("auto": the configuration's, else their own).

    Pickle files are not opened for this: their size counts, which is some kilobytes more than their weights. Raises
    ModelError for a damaged file.
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
        raise ModelError(f"The model in {directory} could not be loaded: {one_line(error)}") from error


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


def limit_bytes() -> int:
    """What this process may use: the host's memory, or its control group's limit where that is lower."""
    host = int(psutil.virtual_memory().total)
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

    glibc otherwise learns to keep them: many short-lived blocks of tens of MB then hold several hundred MB. Once it is
    told one threshold it leaves the other at 128 KB, and a forward pass gives back and takes anew each activation.
    """
    with contextlib.suppress(*_NOT_GLIBC):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        libc.mallopt(_M_ARENA_MAX, ARENAS)


def trim_heap() -> None:
    """Return now what was freed and kept, between blocks in use too (glibc; elsewhere nothing is done).

    An aligned block often doesn't fit where one of its own size was freed, so large ones that come and go, as chunks of
    logits do, leave holes as large as themselves. Takes some milliseconds, more in a large heap, and what is taken next
    is new memory.
    """
    with contextlib.suppress(*_NOT_GLIBC):
        ctypes.CDLL(None).malloc_trim(0)


def memory_of(device: str) -> tuple[int, int]:
    """What may be used of a device's memory, and how much of that is in use, in bytes.

    Weights that are mapped from files are not in use: the system takes their memory back when it needs it. Nor is what
    torch keeps of a GPU's freed memory and could give back.
    """
    if device.startswith("cuda"):
        import torch

        stats = torch.cuda.memory_stats(device)
        reserved, taken, split = (stats.get(f"{name}_bytes.all.current", 0) for name in _CUDA_BYTES)
        free, total = torch.cuda.mem_get_info(device)
        return total, max(0, total - free - (reserved - taken - split))
    return limit_bytes(), private_bytes()


def has_room(needed_bytes: int, device: str = "cpu") -> bool:
    """Whether weights of this size fit beside what is in use."""
    limit, in_use = memory_of(device)
    return needed_bytes + WORKING_BYTES + in_use <= limit


def require_room(needed_bytes: int, device: str = "cpu") -> None:
    """Raise ModelError, with the figures, where weights of this size don't fit beside what is in use."""
    if not has_room(needed_bytes, device):
        limit, in_use = memory_of(device)
        is_cpu = device == "cpu"
        elsewhere = " or on the CPU (--device cpu)" if not is_cpu and has_room(needed_bytes) else ""
        raise ModelError(
            f"The model does not fit: its weights take {_gb(needed_bytes)} and reading {_gb(WORKING_BYTES)} more; "
            f"{'this machine' if is_cpu else f'the device {device}'} allows {_gb(limit)}, and {_gb(in_use)} of that is "
            f"in use. Choose a smaller model, or start with a format of fewer bits (--dtype){elsewhere}."
        )


def require_possible(needed_bytes: int, device: str = "cpu") -> None:
    """Raise ModelError, with the figures, where weights of this size are more than there is, whatever is let go."""
    limit, _ = memory_of(device)
    if needed_bytes + WORKING_BYTES > limit:
        require_room(needed_bytes, device)


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB"
