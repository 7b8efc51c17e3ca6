"""Models on a Hugging Face hub: what is there, what is already here, and a download that can be watched and stopped."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from llm_tracker.errors import Cancelled, ModelError, one_line
from llm_tracker.models.digests import digest
from llm_tracker.models.progress import Progress, Report

PATIENCE_SECONDS = 3
"""How long the hub may stay silent when it is first asked."""

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when huggingface_hub is imported: not later than here
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # Xet swallows what a report raises, so that nothing could be stopped

WANTED = re.compile(r"model(-\d+-of-\d+)?\.safetensors|[^/]+\.(json|jinja|model|txt)")
"""The files that a model needs, of the repository's root: the weights in one form only, and what stands beside them."""


@dataclass(frozen=True)
class HubFile:
    """One file of a repository."""

    name: str
    size_bytes: int
    sha256: str | None


@dataclass(frozen=True)
class HubModel:
    """A repository at one commit, with the files that a model needs."""

    repository: str
    revision: str | None
    """The branch, tag or commit that was asked for; None is the default branch."""
    commit: str
    files: tuple[HubFile, ...]

    @property
    def size_bytes(self) -> int:
        """What a full download weighs."""
        return sum(file.size_bytes for file in self.files)


def cached_model(repository: str, revision: str | None = None) -> Path | None:
    """The snapshot directory of a model that is wholly in the local cache, or None. Asks nobody."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(repository, "config.json", revision=revision)
    except HFValidationError:  # no name that the hub could have
        return None
    if not isinstance(config, str):
        return None
    snapshot = Path(config).parent
    return snapshot if is_complete(snapshot) else None


def is_complete(directory: Path) -> bool:
    """Whether a directory holds a config, a tokenizer and every weight file that its index names."""
    try:
        shards = weight_files(directory)
    except (ValueError, KeyError):  # the index is damaged
        return False
    has_tokenizer = any((directory / name).is_file() for name in ("tokenizer.json", "tokenizer.model"))
    return (directory / "config.json").is_file() and has_tokenizer and all((directory / s).is_file() for s in shards)


def weight_files(directory: Path) -> set[str]:
    """The names of a model's weight files: those of its index, else the one that needs none."""
    index = directory / "model.safetensors.index.json"
    if not index.is_file():
        return {"model.safetensors"}
    return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())


def ask_hub(repository: str, revision: str | None = None) -> HubModel:
    """What the hub holds for a model: its commit and files. Waits `PATIENCE_SECONDS` for the first word, no more.

    Raises ModelError with what to do: gated, unknown, unreachable.
    """
    from huggingface_hub import HfApi

    with _told_plainly(repository):
        info = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=PATIENCE_SECONDS)
    files = tuple(
        HubFile(each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs else None)
        for each in info.siblings or ()
        if WANTED.fullmatch(each.rfilename)
    )
    if not any(file.name.endswith(".safetensors") for file in files):
        raise ModelError(f"“{repository}” has no safetensors weights, and others are not loaded. Choose another model.")
    return HubModel(repository, revision, str(info.sha), files)


def download(model: HubModel, report: Report) -> Path:
    """Fetch what is missing of a model into the hub's own cache, and return its snapshot directory.

    `report` hears of every piece; raising `Cancelled` there stops the download. Raises ModelError where the hub fails
    or a file does not have the hub's SHA-256.
    """
    from huggingface_hub import hf_hub_download

    stage = f"Downloading {model.repository}"
    done = 0
    for file in sorted(model.files, key=_is_config):
        arrived = _counting_bar(partial(_report_arrived, report, stage, done, model.size_bytes))
        with _told_plainly(model.repository):
            path = Path(hf_hub_download(model.repository, file.name, revision=model.commit, tqdm_class=arrived))
        if file.sha256 is not None:
            _require_sha256(path, file.sha256)
        done += file.size_bytes
        report(Progress(stage, done, model.size_bytes))
    _note_revision(path.parent, model.revision)
    return path.parent


def _is_config(file: HubFile) -> bool:
    """True sorts last: without a config.json a snapshot that was stopped half way is not taken for a model."""
    return file.name == "config.json"


def _note_revision(snapshot: Path, revision: str | None) -> None:
    """Tell the cache which commit a branch or tag is at: asked for files by commit, the hub's client does not."""
    name = revision or "main"
    if name == snapshot.name:
        return
    note = snapshot.parent.parent / "refs" / name
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(snapshot.name, encoding="utf-8")


def _report_arrived(report: Report, stage: str, before: int, total: int, arrived: int) -> None:
    report(Progress(stage, before + arrived, total))


def _require_sha256(path: Path, expected: str) -> None:
    if digest(path) != expected:
        path.resolve().unlink()
        raise ModelError(f"{path.name} arrived damaged and was removed. Start the download again.")


def _counting_bar(arrived: Callable[[int], None]) -> type[Any]:
    """A progress bar class, as the hub's client wants one, that only counts the bytes that came."""
    from tqdm import tqdm

    class CountingBar(tqdm):  # type: ignore[type-arg]
        """Draws nothing; its own counter stays at 0 without a terminal, so it keeps one."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.arrived_bytes = int(kwargs.get("initial") or 0)
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            """Count n more bytes; a `Cancelled` raised by the listener stops the download."""
            self.arrived_bytes += int(n or 0)
            arrived(self.arrived_bytes)

    return CountingBar


@contextmanager
def _told_plainly(repository: str) -> Iterator[None]:
    """Turns what the hub's client raises into one sentence that says what to do."""
    try:
        yield
    except (Cancelled, ModelError):
        raise
    except Exception as error:
        raise ModelError(_sentence(repository, error)) from error


def _sentence(repository: str, error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):  # before its parent, RepositoryNotFoundError
        return f"“{repository}” is gated: ask for access on its page of the hub, then log in with: hf auth login"
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return f"The hub has no model “{repository}”. Check its name: owner/model, as its page shows it."
    if isinstance(error, errors.RevisionNotFoundError):
        return f"“{repository}” has no such revision. Leave it out, or copy it from the model's page."
    if isinstance(error, errors.HfHubHTTPError):
        return f"The model hub answered with an error for “{repository}”: {one_line(error)}. Try again in a minute."
    if isinstance(error, OSError) and error.errno == 28:
        return f"The disk is full: “{repository}” could not be kept. Free some space and start the download again."
    return (
        f"The model hub could not be reached for “{repository}” ({type(error).__name__}). "
        "Models on this machine still work; try again when there is a network."
    )
