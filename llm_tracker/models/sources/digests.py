"""SHA-256 of weight files, computed once and kept beside the caches."""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from llm_tracker.errors import ModelDamagedError
from llm_tracker.languages.texts import say
from llm_tracker.models.sources.checkpoint_files import weight_files
from llm_tracker.places import cache_dir
from llm_tracker.progress import Progress, Report, silent

CHUNK_BYTES = 2**20
"""Read at once; between two chunks whoever waits is told, and may stop."""

_DIGEST = re.compile("[0-9a-f]{64}")


def sha256_of(path: Path, report: Report = silent) -> str:
    """The SHA-256 of a file in hex; a file that has not changed since the last call is not read again.

    Raises ModelDamagedError for a file of the hub's cache that is not what its name there says: other programs put
    files there too, and some check no more than a size.
    """
    file = path.resolve()
    sha256 = content_sha256(file, report)
    if file.parent.name == "blobs" and _DIGEST.fullmatch(file.name) and file.name != sha256:
        raise ModelDamagedError(
            say(
                "{name} is damaged: its content is not what the model hub announced. Remove {file} and load the "
                "model again, which downloads it anew.",
                name=path.name,
                file=file,
            )
        )
    return sha256


def weights_sha256(directory: Path, report: Report = silent) -> str:
    """Of a model directory: its one weight file's SHA-256, or of several the SHA-256 over theirs in name order.

    Raises ModelDamagedError for a file of the hub's cache that is damaged.
    """
    digests = [sha256_of(directory / name, report) for name in sorted(weight_files(directory))]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def content_sha256(path: Path, report: Report = silent) -> str:
    """The SHA-256 of a file as it is, whatever its name says, read at most once until it changes."""
    key = _key(path)
    known = _kept().get(key)
    if known is None:
        known = digest(path, report)
        _keep(key, known)
    return known


def keep_sha256(path: Path, sha256: str) -> None:
    """Keep a digest that was computed while the file was made, so that it is not read for it again."""
    _keep(_key(path), sha256)


def digest(path: Path, report: Report = silent) -> str:
    """The SHA-256 of a file in hex, read now."""
    checksum = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            checksum.update(chunk)
            report(Progress(say("Checking the weights, once")))
    return checksum.hexdigest()


def _key(path: Path) -> str:
    """A file as it is now."""
    stat = path.stat()
    return f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"


def _keep(key: str, sha256: str) -> None:
    """Write a digest into the book; where that cannot be written, the digest is computed again the next time."""
    with suppress(OSError):
        book = cache_dir() / "sha256.json"
        with FileLock(f"{book}.lock"):
            partial = book.with_suffix(".part")
            partial.write_text(json.dumps({**_kept(), key: sha256}, indent=1), encoding="utf-8")
            os.replace(partial, book)


def _kept() -> dict[str, str]:
    """The kept digests; a book that cannot be read is begun anew, since each line can be computed again."""
    try:
        kept: dict[str, str] = json.loads((cache_dir() / "sha256.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept
