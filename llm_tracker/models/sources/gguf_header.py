"""How many weights a .gguf file holds, from its header alone: their memory is known before any weight is read.

The header's vocabulary is walked over, not kept; a file of any size takes milliseconds to some tenths of a second.
"""

from __future__ import annotations

import math
import mmap
import struct
from functools import lru_cache
from pathlib import Path

from llm_tracker.errors import ModelDamagedError
from llm_tracker.languages.texts import say

_WIDTHS = {0: 1, 1: 1, 7: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 10: 8, 11: 8, 12: 8}
"""Bytes of each kind of value of a fixed size, by its number in the format."""

_STRING, _LIST = 8, 9

_MAX_AXES = 4
"""Of a tensor in this format."""


def weights_count(gguf_file: Path) -> int:
    """The number of weights in a file. Raises ModelDamagedError for one that is no GGUF file, or a cut one."""
    try:
        stat = gguf_file.stat()
        return _weights_count(gguf_file, stat.st_size, stat.st_mtime_ns)
    except (OSError, ValueError, struct.error, KeyError, RecursionError) as error:
        raise ModelDamagedError(say("{file} is no whole GGUF file. Get it anew.", file=gguf_file.name)) from error


@lru_cache(maxsize=64)
def _weights_count(gguf_file: Path, _size: int, _changed_ns: int) -> int:
    """The same, for a file as it is now: a file that has not changed is not read again."""
    with gguf_file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"GGUF":
            raise ValueError("not a GGUF file")
        _version, n_tensors, n_values = struct.unpack_from("<IQQ", data, 4)
        at = 24
        for _ in range(n_values):
            at = _behind_string(data, at)
            (kind,) = struct.unpack_from("<I", data, at)
            at = _behind_value(data, at + 4, kind)
        total = 0
        for _ in range(n_tensors):
            at = _behind_string(data, at)
            (n_axes,) = struct.unpack_from("<I", data, at)
            if n_axes > _MAX_AXES:
                raise ValueError("a tensor of more axes than there may be")
            total += math.prod(struct.unpack_from(f"<{n_axes}Q", data, at + 4))
            at += 4 + 8 * n_axes + 12
        if total > 8 * len(data):
            raise ValueError("less than a bit for each weight")
        return total


def _behind_string(data: mmap.mmap, at: int) -> int:
    (length,) = struct.unpack_from("<Q", data, at)
    return _within(data, at + 8 + int(length))


def _within(data: mmap.mmap, at: int) -> int:
    """A place in the file. Raises ValueError for one behind its end, where a damaged length would lead."""
    if at > len(data):
        raise ValueError("a length that is more than the file's")
    return at


def _behind_value(data: mmap.mmap, at: int, kind: int) -> int:
    """Where what follows a value begins."""
    if kind == _STRING:
        return _behind_string(data, at)
    if kind != _LIST:
        return at + _WIDTHS[kind]
    inner, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if inner in _WIDTHS:
        return _within(data, at + _WIDTHS[inner] * int(count))
    for _ in range(count):
        at = _behind_value(data, at, inner)
    return at
