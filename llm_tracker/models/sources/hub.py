"""Models on a Hugging Face hub: what is there, what is already here, and a download that can be watched and stopped."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_tracker.errors import HubUnreachableError, ModelRefusedError
from llm_tracker.languages.texts import say
from llm_tracker.load_options import NOTHING, Trust
from llm_tracker.models.sources.checkpoint_files import is_complete
from llm_tracker.models.sources.hub_cache import RepositoryCache
from llm_tracker.models.sources.hub_failures import FETCHING, Retries, told_plainly
from llm_tracker.models.sources.remote_code import own_code, require_pickle_allowed, require_trusted_code
from llm_tracker.models.sources.resumable_download import (
    DIGEST,
    Arrivals,
    HubFile,
    arrived_bytes,
    fetch,
    is_sound,
    is_whole,
    require_disk_room,
)
from llm_tracker.progress import Progress, Report, silent

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

FIRST_WORD_SECONDS = 3
"""How long the hub may stay silent when it is first asked."""

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when huggingface_hub is imported: not later than here

SAFETENSORS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
PICKLES = re.compile(r"pytorch_model(-\d+-of-\d+)?\.(bin|pt)")
CODE = re.compile(r"[^/\\]+\.py")
BESIDE = re.compile(r"[^/\\]+\.(json|jinja|model|txt|tiktoken)")
"""What stands beside the weights. All of this in the repository's root only."""

CONFIGS = ("config.json", "tokenizer_config.json")
"""The files that say whether a model needs code of its own."""


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
    """The snapshot directory of a model that is wholly in the local cache, or None. Asks nobody.

    A cache that was copied, or filled by commit, does not say which snapshot is the default one: then a single whole
    one is taken. Where the hub is not to be asked (offline), it is taken also in place of a default one that is not
    whole.
    """
    from huggingface_hub import constants

    if not can_be_named(repository):
        return None
    named = noted_snapshot(repository, revision)
    if named is not None and is_complete(named):
        return named
    whole = [] if revision else whole_snapshots(repository)
    nobody_knows = constants.HF_HUB_OFFLINE or not RepositoryCache(repository).has_names
    return whole[0] if len(whole) == 1 and nobody_knows else None


def noted_snapshot(repository: str, revision: str | None = None) -> Path | None:
    """The snapshot directory that the local cache has for a revision (the default branch unless given), if any."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repository, "config.json", revision=revision)
    return Path(config).parent if isinstance(config, str) else None


def can_be_named(repository: str) -> bool:
    """Whether a repository of the hub can have this name."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # it hands them out lazily

    try:
        validate_repo_id(repository)
    except HFValidationError:
        return False
    return True


def whole_snapshots(repository: str) -> list[Path]:
    """The snapshot directories of a repository that hold a whole model, in order of their commits."""
    found = RepositoryCache(repository).folder.glob("snapshots/*")
    return sorted(snapshot for snapshot in found if snapshot.is_dir() and is_complete(snapshot))


def ask_hub(repository: str, revision: str | None = None, report: Report = silent, trust: Trust = NOTHING) -> HubModel:
    """What the hub holds for a model: its commit and files. Waits `FIRST_WORD_SECONDS` for the first word, no more.

    The files are those that will be read: safetensors where there are any, code only where it may be run. Raises
    ModelError with what to do: gated, unknown, unreachable, offline, or with weights that are not read.
    """
    with told_plainly(repository):
        info = _model_info(repository, revision, report)
    files = {
        each.rfilename: HubFile(each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs else None, each.blob_id)
        for each in info.siblings or ()
    }
    weights = _weights(repository, files, trust)
    beside = [name for name in files if BESIDE.fullmatch(name) or (trust.remote_code and CODE.fullmatch(name))]
    wanted = tuple(files[name] for name in files if name in {*weights, *beside})
    if not re.fullmatch("[0-9a-f]{40}", str(info.sha)) or not all(DIGEST.fullmatch(file.digest) for file in wanted):
        raise HubUnreachableError(
            say(
                "The hub's answer for “{repository}” lacks a commit or digests; nothing was downloaded.",
                repository=repository,
            )
        )
    return HubModel(repository, revision, str(info.sha), wanted)


def _model_info(repository: str, revision: str | None, report: Report) -> ModelInfo:
    """The hub's own record, asked for again while it answers with errors of its own."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    retries = Retries(lambda: report(Progress(say("Waiting for the model hub to answer"))))
    while True:
        try:
            return HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=FIRST_WORD_SECONDS)
        except HfHubHTTPError as error:
            retries.wait_or_raise(error)


def _weights(repository: str, files: Iterable[str], trust: Trust) -> list[str]:
    """The files with the weights, in the one form that is read. Raises ModelError where none is, or may be."""
    names = sorted(files)
    safetensors = [name for name in names if SAFETENSORS.fullmatch(name)]
    pickles = [name for name in names if PICKLES.fullmatch(name)]
    if pickles and not safetensors:
        require_pickle_allowed(repository, pickles, trust)
    if not (safetensors or pickles):
        gguf = next((name for name in names if name.endswith(".gguf")), None)
        instead = (
            say("Download its {file} and give the path of that file.", file=gguf)
            if gguf
            else say("Choose another model.")
        )
        raise ModelRefusedError(
            say(
                "“{repository}” has no weights that can be loaded: no safetensors. {instead}",
                repository=repository,
                instead=instead,
            )
        )
    return safetensors or pickles


def download(model: HubModel, report: Report, trust: Trust = NOTHING) -> Path:
    """Fetch what is missing of a model into the hub's own cache, and return its snapshot directory.

    `report` hears of every chunk; raising `Cancelled` there stops the download. What has arrived stays, also where
    it ends early, and the next download goes on from there. The configs come first: a model whose own code may not be
    run costs nobody its weights. Raises ModelError where that is so, where the hub fails, or the disk.
    """
    cache = RepositoryCache(model.repository)
    arrivals = Arrivals(report, say("Downloading {repository}", repository=model.repository), model.size_bytes)
    with told_plainly(model.repository, FETCHING):
        require_disk_room(cache.folder, sum(_missing(model, cache)), model.repository)
        _require_trusted(model, cache, arrivals, trust)
        for file in sorted(model.files, key=_is_config):
            with cache.locked(file.digest, report):
                path = _arrived(model, file, cache, arrivals)
                if path != _shown(model, file, cache):
                    cache.put(path, model.commit, file.name)
        cache.note(model.revision or "main", model.commit)
    return cache.snapshot(model.commit)


def _missing(model: HubModel, cache: RepositoryCache) -> Iterator[int]:
    """How many bytes of each file are still to come."""
    for file in model.files:
        blob = cache.blob(file.digest)
        if not (is_whole(blob, file) or is_whole(_shown(model, file, cache), file)):
            yield max(0, file.size_bytes - arrived_bytes(blob))


def _require_trusted(model: HubModel, cache: RepositoryCache, arrivals: Arrivals, trust: Trust) -> None:
    """Fetch the configs, without showing them in the snapshot yet, and refuse a model whose code may not be run."""
    paths = dict.fromkeys(CONFIGS, Path("not there"))
    for file in model.files:
        if file.name in CONFIGS:
            with cache.locked(file.digest, arrivals.report):
                paths[file.name] = _arrived(model, file, cache, arrivals)
    require_trusted_code(model.repository, own_code(*(paths[name] for name in CONFIGS)), trust)


def _arrived(model: HubModel, file: HubFile, cache: RepositoryCache, arrivals: Arrivals) -> Path:
    """The file in the snapshot, or else its blob, fetched unless it is there and sound. Its lock must be held."""
    from huggingface_hub import hf_hub_url

    blob = cache.blob(file.digest)
    for place in (_shown(model, file, cache), blob):
        if is_whole(place, file):
            if is_sound(place, file, arrivals):
                arrivals.has(file)
                return place
            place.unlink()
    fetch(hf_hub_url(model.repository, file.name, revision=model.commit), file, blob, arrivals)
    arrivals.has(file)
    return blob


def _shown(model: HubModel, file: HubFile, cache: RepositoryCache) -> Path:
    return cache.snapshot(model.commit) / file.name


def _is_config(file: HubFile) -> bool:
    """True sorts last: without a config.json a snapshot that was stopped half way is not taken for a model."""
    return file.name == "config.json"
