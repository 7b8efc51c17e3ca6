"""What of the freed memory goes back to the system, and when."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from llm_tracker.models.memory import heap
from llm_tracker.models.memory.heap import ARENAS


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="thresholds of glibc")
def test_large_blocks_go_back_at_once_and_small_ones_are_used_again() -> None:
    script = """
import resource
import numpy as np
from llm_tracker.models.memory.device_memory import private_bytes
from llm_tracker.models.memory.heap import KEPT_BYTES, LARGE_BYTES, return_freed_memory
return_freed_memory()
def faults(n_bytes, n=200):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n):
        np.ones(n_bytes, np.uint8)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / n
before = private_bytes()
blocks = [np.ones(LARGE_BYTES, np.uint8) for _ in range(8)]
taken = private_bytes() - before
del blocks
print(faults(KEPT_BYTES // 32), faults(LARGE_BYTES, 5), taken, private_bytes() - before)
"""
    small_pages = os.environ | {"NUMPY_MADVISE_HUGEPAGE": "0"}  # or a large block is eight faults, or five hundred
    run = subprocess.run([sys.executable, "-c", script], env=small_pages, capture_output=True, text=True, check=True)
    small, large, taken, left = map(float, run.stdout.split())
    assert small < 10 < large
    assert left < taken / 8


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="heaps of glibc")
def test_what_threads_freed_is_kept_in_few_heaps() -> None:
    """Where a thread's small block happens to lie above a large one, that one stays: the middle one of five rounds."""
    script = """
import statistics
import sys
import threading
import numpy as np
from llm_tracker.models.memory import heap
from llm_tracker.models.memory.device_memory import private_bytes
heap.ARENAS = int(sys.argv[1])
heap.return_freed_memory()
together = threading.Barrier(16)
def use():
    together.wait()
    block = np.ones(heap.KEPT_BYTES * 45 // 100, np.uint8)
    together.wait()
    del block
def left():
    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return private_bytes() - before
before = private_bytes()
print(statistics.median(left() for _ in range(5)))
"""
    small_pages = os.environ | {"NUMPY_MADVISE_HUGEPAGE": "0"}

    def left(n_arenas: int) -> int:
        command = [sys.executable, "-c", script, str(n_arenas)]
        return int(subprocess.run(command, env=small_pages, capture_output=True, text=True, check=True).stdout)

    assert left(ARENAS) < 0.75 * left(16)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heap of glibc")
def test_what_was_freed_between_blocks_in_use_goes_back_when_the_heap_is_trimmed() -> None:
    script = """
import numpy as np
from llm_tracker.models.memory import heap
from llm_tracker.models.memory.device_memory import private_bytes
heap.return_freed_memory()
blocks = [np.ones(heap.LARGE_BYTES // 16, np.uint8) for _ in range(64)]
freed = sum(block.nbytes for block in blocks[1::2])
held = private_bytes()
del blocks[1::2]
kept = private_bytes()
heap.trim_heap()
print((held - kept) / freed, (held - private_bytes()) / freed)
"""
    small_pages = os.environ | {"NUMPY_MADVISE_HUGEPAGE": "0"}
    run = subprocess.run([sys.executable, "-c", script], env=small_pages, capture_output=True, text=True, check=True)
    untrimmed, trimmed = map(float, run.stdout.split())
    assert untrimmed < 0.1
    assert trimmed > 0.9


@pytest.mark.parametrize("error", [OSError, AttributeError, TypeError])
def test_without_glibc_nothing_is_done_about_freed_memory(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def library(name: object) -> None:
        asked.append(name)
        raise error

    monkeypatch.setattr(heap.ctypes, "CDLL", library)
    heap.return_freed_memory()
    heap.trim_heap()
    assert asked == [None, None]
