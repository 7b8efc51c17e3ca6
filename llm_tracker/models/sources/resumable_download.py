"""One file of a hub into its cache: gone on with where an earlier try stopped, and kept only if its digest is right."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llm_tracker.errors import ModelDamagedError, ModelTooLargeError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.models.sources.digests import CHUNK_BYTES, content_sha256, keep_sha256
from llm_tracker.models.sources.hub_failures import Retries
from llm_tracker.progress import Progress, Report

SILENCE_SECONDS = 6.0
"""How long a connection may bring nothing before it counts as broken. Stop waits for this at most."""

DELIVERIES = 3
"""How often a file is fetched from its beginning while what arrives is not what the hub announced."""

PART_SUFFIX = ".llm-tracker-part"
"""Of what has arrived of a file so far; it stays where a download ends early."""

DIGEST = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class HubFile:
    """One file of a repository."""

    name: str
    size_bytes: int
    sha256: str | None
    """Of a large file; the hub's cache keeps it under this name."""
    git_sha1: str | None = None
    """git's own digest of any other file."""

    @property
    def digest(self) -> str:
        """The name under which the hub's cache keeps it, and by which it is checked."""
        return self.sha256 or str(self.git_sha1)


@dataclass
class Arrivals:
    """What has arrived of a download, told to a report with every chunk; what that raises stops the download."""

    report: Report
    stage: str
    total_bytes: int
    whole: dict[str, int] = field(default_factory=dict)
    """The sizes of the files that have wholly arrived, by name."""

    def has(self, file: HubFile) -> None:
        """Count a file as wholly arrived."""
        self.whole[file.name] = file.size_bytes
        self.tell()

    def tell(self, more_bytes: int = 0, stage: str | None = None) -> None:
        """Report the whole files, and so many bytes of the present one."""
        self.report(Progress(stage or self.stage, sum(self.whole.values()) + more_bytes, self.total_bytes))


def is_whole(path: Path, file: HubFile) -> bool:
    """Whether a file of the cache is there in its full size."""
    return path.is_file() and path.stat().st_size == file.size_bytes


def is_sound(path: Path, file: HubFile, arrivals: Arrivals) -> bool:
    """Whether a file of the cache has the announced digest: other programs, too, put files there.

    A large file is read for it at most once, and never where it was fetched from here.
    """

    def tell(_progress: Progress | None = None) -> None:
        arrivals.tell(stage=say("Checking what is here"))

    if file.sha256:
        return content_sha256(path, tell) == file.sha256
    return _digest(path, file, tell) == file.digest


def part_of(blob: Path) -> Path:
    """Where a blob grows until it is whole."""
    return blob.with_name(blob.name + PART_SUFFIX)


def arrived_bytes(blob: Path) -> int:
    """How much of a blob is there from an earlier try."""
    part = part_of(blob)
    return part.stat().st_size if part.is_file() else 0


def require_disk_room(folder: Path, missing_bytes: int, repository: str) -> None:
    """Raise ModelTooLargeError, with both figures, where a folder's disk has less room than a download needs."""
    folder.mkdir(parents=True, exist_ok=True)
    free_bytes = shutil.disk_usage(folder).free
    if missing_bytes > free_bytes:
        raise ModelTooLargeError(
            say(
                "There is no room for “{repository}”: {missing} of it are to come, and {free} are "
                "free on the disk of {folder}. Free some space, or set HF_HOME to a folder on another disk.",
                repository=repository,
                missing=_mb(missing_bytes),
                free=_mb(free_bytes),
                folder=folder,
            )
        )


def fetch(url: str, file: HubFile, blob: Path, arrivals: Arrivals) -> None:
    """Fetch a file into `blob`, which is there only once the whole file is on the disk and has the announced digest.

    Raises ModelDamagedError where it does not have that after `DELIVERIES` deliveries, and what the hub's client raises
    after the last try.
    """
    blob.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(blob)
    for _ in range(DELIVERIES):
        _complete(url, file, part, arrivals)
        if _digest(part, file, lambda: arrivals.tell(file.size_bytes, say("Checking what arrived"))) == file.digest:
            _write_through(part)
            os.replace(part, blob)
            if file.sha256:
                keep_sha256(blob, file.sha256)
            return
        part.unlink()
    raise ModelDamagedError(
        say(
            "{file} arrived damaged {n} times and was removed. Try again later; if it stays like this, "
            "the hub's copy, or what lies between here and there, is at fault.",
            file=file.name,
            n=DELIVERIES,
        )
    )


def _complete(url: str, file: HubFile, part: Path, arrivals: Arrivals) -> None:
    """Read on until the part is as long as the file, over as many connections as retries allows."""
    part.touch()
    retries = Retries(lambda: arrivals.tell(part.stat().st_size, say("Waiting for the model hub to go on")))
    while (before := part.stat().st_size) != file.size_bytes:
        if before > file.size_bytes:  # no beginning of this file
            os.truncate(part, 0)
            continue
        try:
            _read_on(url, file, part, arrivals)
        except Exception as error:
            if part.stat().st_size > before:
                retries.reset()
            retries.wait_or_raise(error)


def _read_on(url: str, file: HubFile, part: Path, arrivals: Arrivals) -> None:
    """Append to the part what one connection brings. Raises what the hub's client does, also for a wrong length."""
    from huggingface_hub import get_session, hf_raise_for_status
    from huggingface_hub.utils import build_hf_headers, httpx  # type: ignore[attr-defined]  # it hands them out lazily

    start = part.stat().st_size
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with get_session().stream("GET", url, headers=headers, timeout=SILENCE_SECONDS) as response:
        hf_raise_for_status(response)
        with part.open("ab" if response.status_code == 206 else "wb") as content:
            for chunk in response.iter_raw():
                content.write(chunk)
                arrivals.tell(content.tell())
                if content.tell() > file.size_bytes:
                    content.truncate(0)
                    break
    if part.stat().st_size != file.size_bytes:
        raise httpx.RemoteProtocolError("the hub did not send the length that it announced")


def _digest(path: Path, file: HubFile, tell: Callable[[], None]) -> str:
    """Of what is there of a file, by the rule of its announced digest; `tell` is called with every chunk."""
    checksum = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            checksum.update(chunk)
            tell()
    return checksum.hexdigest()


def _write_through(part: Path) -> None:
    """Have the system write a file to the disk now: after a power cut a new name must not stand for holes."""
    with part.open("rb+") as content:
        os.fsync(content.fileno())


def _mb(n_bytes: int) -> str:
    return f"{number(n_bytes / 1e6, ',.0f')} MB"
