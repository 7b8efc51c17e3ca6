"""Weights that are mapped from their files: how the system reads them where not all can be in memory at once."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Collection, Iterator
from pathlib import Path

from llm_tracker.models.memory.device_memory import has_room

MAPS = Path("/proc/self/maps")


def read_in_order(files: Collection[Path], weights_bytes: int) -> None:
    """Let the system read weights ahead where there is less room beside them than they take (Linux).

    A pass reads all weights, always in the same order. In a file that is mostly in memory Linux stops reading ahead,
    and fetches what is missing 4 KB at a time, unless it is told of the order. With room enough nothing is said: what
    is read in order is also the first to be put out of memory.
    """
    if not has_room(2 * weights_bytes):
        for start, length in _mapped(files):
            ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), mmap.MADV_SEQUENTIAL)


def _mapped(files: Collection[Path]) -> Iterator[tuple[int, int]]:
    """Where each of these files is mapped now, and how many bytes of it."""
    wanted = {str(file.resolve()) for file in files}
    for line in MAPS.read_text(encoding="utf-8", errors="replace").splitlines() if MAPS.is_file() else []:
        span, *_, path = line.split(maxsplit=5)
        if path in wanted:
            start, end = (int(each, 16) for each in span.split("-"))
            yield start, end - start
