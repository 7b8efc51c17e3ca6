"""SHA-256 of weight files, computed once and kept beside the caches."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from filelock import FileLock

from llm_tracker.models.weight_files import weight_files
from llm_tracker.places import cache_dir

_DIGEST = re.compile("[0-9a-f]{64}")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hex; a file that has not changed since the last call is not read again."""
    if _DIGEST.fullmatch(path.resolve().name):  # the hub's cache names large files by theirs, checked on arrival
        return path.resolve().name
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    book = cache_dir() / "sha256.json"
    with FileLock(f"{book}.lock"):
        known = _read(book)
        if key not in known:
            known[key] = digest(path)
            partial = book.with_suffix(".part")
            partial.write_text(json.dumps(known, indent=1), encoding="utf-8")
            os.replace(partial, book)
    return known[key]


def weights_sha256(directory: Path) -> str:
    """Of a model directory: its one weight file's SHA-256, or of several the SHA-256 over theirs in name order."""
    digests = [sha256_of(directory / name) for name in sorted(weight_files(directory))]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def digest(path: Path) -> str:
    """The SHA-256 of a file in hex, read now."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(book: Path) -> dict[str, str]:
    """The kept digests; a book that cannot be read is begun anew, since each line can be computed again."""
    try:
        kept: dict[str, str] = json.loads(book.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return kept
