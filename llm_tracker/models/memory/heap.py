"""When freed memory goes back to the system (glibc; elsewhere nothing is done)."""

from __future__ import annotations

import contextlib
import ctypes

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
