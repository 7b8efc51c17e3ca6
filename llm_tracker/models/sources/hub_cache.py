"""One repository's folder in the hub's cache on this machine: the layout that the hub's own client reads and writes."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from llm_tracker.languages.texts import say
from llm_tracker.progress import Progress, Report

LOCK_SECONDS = 0.2
"""How long each try for a lock takes; after it, whoever waits is told and may stop."""

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK)
"""What a disk without links of a kind answers to one; EINVAL is Windows', where they are a privilege."""


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

    @property
    def has_names(self) -> bool:
        """Whether any branch or tag is written down."""
        return any(path.is_file() for path in self.folder.glob("refs/**/*"))

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
                report(Progress(say("Waiting for another download of the same file")))
        try:
            yield
        finally:
            lock.release()

    def put(self, blob: Path, commit: str, name: str) -> None:
        """Show a blob as a file of a snapshot: as a link, or, on a disk without any links, as a copy.

        The blob stays where it is: files of other snapshots may be links to it.
        """
        from huggingface_hub import constants

        pointer = self.snapshot(commit) / name
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.unlink(missing_ok=True)
        target = os.path.relpath(blob, pointer.parent)
        if not constants.HF_HUB_DISABLE_SYMLINKS and _linked(lambda: os.symlink(target, pointer)):
            return
        if not _linked(lambda: os.link(blob, pointer)):
            copy = pointer.with_name(f"{pointer.name}.{os.getpid()}.part")
            shutil.copyfile(blob, copy)
            os.replace(copy, pointer)

    def note(self, revision: str, commit: str) -> None:
        """Write down which commit a branch or tag is at."""
        if revision == commit:
            return
        note = self.folder / "refs" / revision
        note.parent.mkdir(parents=True, exist_ok=True)
        written = note.with_name(f"{note.name}.{os.getpid()}.part")
        written.write_text(commit, encoding="utf-8")
        os.replace(written, note)


def _linked(link: Callable[[], None]) -> bool:
    """Make a link; False where the disk has none of this kind. Raises OSError where anything else is wrong."""
    try:
        link()
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True
