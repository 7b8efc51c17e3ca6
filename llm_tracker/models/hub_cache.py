"""One repository's folder in the hub's cache on this machine: the layout that the hub's own client reads and writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from llm_tracker.models.progress import Progress, Report

LOCK_SECONDS = 0.2
"""How long each try for a lock takes; after it, whoever waits is told and may stop."""


@dataclass(frozen=True)
class RepositoryCache:
    """`blobs` hold files under their digests, `snapshots` the files of a commit as links to blobs, `refs` the names."""

    repository: str

    @property
    def folder(self) -> Path:
        """Where all of this repository is kept."""
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE) / self._folder_name

    @property
    def _folder_name(self) -> str:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        return repo_folder_name(repo_id=self.repository, repo_type=constants.REPO_TYPE_MODEL)

    def blob(self, digest: str) -> Path:
        """Where a file with this digest is kept, once it has wholly arrived."""
        return self.folder / "blobs" / digest

    def snapshot(self, commit: str) -> Path:
        """The directory that looks like the repository at a commit."""
        return self.folder / "snapshots" / commit

    @contextmanager
    def locked(self, digest: str, report: Report) -> Iterator[None]:
        """Hold the lock under which the hub's own client, too, fetches this file. Whoever waits for it can stop."""
        path = self.folder.parent / ".locks" / self._folder_name / f"{digest}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        while not lock.is_locked:
            try:
                lock.acquire(timeout=LOCK_SECONDS)
            except Timeout:
                report(Progress("Waiting for another download of the same file"))
        try:
            yield
        finally:
            lock.release()

    def put(self, blob: Path, commit: str, name: str) -> None:
        """Show a blob as a file of a snapshot: as a link, or, where there are no links, as the file itself."""
        from huggingface_hub import constants

        pointer = self.snapshot(commit) / name
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.unlink(missing_ok=True)
        if not constants.HF_HUB_DISABLE_SYMLINKS:
            with suppress(OSError):
                os.symlink(os.path.relpath(blob, pointer.parent), pointer)
                return
        os.replace(blob, pointer)

    def note(self, revision: str, commit: str) -> None:
        """Write down which commit a branch or tag is at."""
        if revision == commit:
            return
        note = self.folder / "refs" / revision
        note.parent.mkdir(parents=True, exist_ok=True)
        written = note.with_name(f"{note.name}.{os.getpid()}.part")
        written.write_text(commit, encoding="utf-8")
        os.replace(written, note)
