"""The hub's cache on this machine: shared with other processes and with the hub's own client."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path

import pytest
from hub_server import HubServer
from hub_steps import NAME, failure, require_whole
from huggingface_hub import constants, hf_hub_download

import llm_tracker as lt
from llm_tracker.models.sources.hub import ask_hub, download
from llm_tracker.models.sources.hub_cache import RepositoryCache
from llm_tracker.progress import Progress, silent


def test_two_downloads_at_once_fetch_a_file_once(hub: HubServer) -> None:
    hub.slow, hub.pause_seconds = True, 0.01
    model, waiting = ask_hub(NAME), threading.Event()

    def watch(progress: Progress) -> None:
        if progress.stage == "Waiting for another download of the same file":
            waiting.set()

    threads = [threading.Thread(target=download, args=(model, watch)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert waiting.is_set()
    assert hub.requests.count(f"GET /{NAME}/resolve/{model.commit}/model.safetensors") == 1
    require_whole(hub)


def test_a_cache_that_cannot_be_written_is_told(hub: HubServer) -> None:
    Path(constants.HF_HUB_CACHE).write_text("a file where the folder should be")
    said = failure()
    assert said.startswith(f"“{NAME}” could not be kept on the disk: ")
    assert said.endswith("Set HF_HOME to another folder.")


def refuse(monkeypatch: pytest.MonkeyPatch, code: int, *kinds: str) -> None:
    """Let making links of these kinds fail with this error."""

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    for kind in kinds:
        monkeypatch.setattr(os, kind, fail)


@pytest.mark.parametrize("kinds", [[], ["symlink"], ["symlink", "link"]])
def test_where_there_are_no_links_the_snapshot_holds_the_files_themselves(
    kinds: list[str], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", not kinds)
    refuse(monkeypatch, errno.EPERM, *kinds)
    model = lt.load_model(NAME)
    assert model.directory is not None
    assert not any(path.is_symlink() for path in model.directory.iterdir())
    (weights,) = [file for file in ask_hub(NAME).files if file.sha256]
    blob = RepositoryCache(NAME).blob(weights.digest)
    assert (model.directory / weights.name).samefile(blob) is ("link" not in kinds)
    asked = len(hub.requests)
    assert lt.load_model(NAME).proof.ok
    assert len(hub.requests) == asked
    require_whole(hub)


def test_a_blob_stays_for_the_other_snapshots_that_link_to_it(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    first = download(ask_hub(NAME), silent)
    (hub.root / NAME / "special_tokens_map.json").write_text("{}")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", True)
    second = download(ask_hub(NAME), silent)
    assert first != second
    for snapshot in (first, second):
        assert (snapshot / "model.safetensors").read_bytes() == (hub.root / NAME / "model.safetensors").read_bytes()


def test_a_link_that_fails_for_another_reason_is_told(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, errno.ENOSPC, "symlink")
    assert failure().startswith("The disk is full: ")


def test_the_hubs_own_client_finds_what_was_downloaded(hub: HubServer) -> None:
    snapshot = download(ask_hub(NAME), silent)
    for path in hub.files(NAME):
        assert Path(hf_hub_download(NAME, path.name, local_files_only=True)) == snapshot / path.name


def test_what_the_hubs_own_client_downloaded_is_not_fetched_again(hub: HubServer) -> None:
    hf_hub_download(NAME, "model.safetensors")
    sent = hub.sent_bytes
    download(ask_hub(NAME), silent)
    assert hub.sent_bytes == sent == (hub.root / NAME / "model.safetensors").stat().st_size
    require_whole(hub)


def forget_default(repository: str = NAME) -> Path:
    """A cache that was copied, or filled by commit: no revision has a name."""
    folder = RepositoryCache(repository).folder
    shutil.rmtree(folder / "refs")
    return folder / "snapshots"


def test_a_single_whole_snapshot_is_used_where_nothing_names_the_default_one(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = download(ask_hub(NAME), silent)
    (forget_default() / ("0" * 40)).mkdir()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = lt.load_model(NAME)
    assert (model.directory, model.revision) == (snapshot, snapshot.name)
    assert any(f"{snapshot.name[:12]}, the only one that is whole, is used" in notice for notice in model.notices)


def test_a_whole_snapshot_is_used_where_the_default_one_is_a_config_alone(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = download(ask_hub(NAME), silent)
    newer = RepositoryCache(NAME).snapshot("1" * 40)
    newer.mkdir()
    shutil.copy(snapshot / "config.json", newer / "config.json")
    RepositoryCache(NAME).note("main", newer.name)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert lt.load_model(NAME).directory == snapshot


def test_several_whole_snapshots_without_a_default_one_are_listed_with_what_to_type(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = download(ask_hub(NAME), silent)
    other = forget_default() / ("2" * 40)
    shutil.copytree(snapshot, other)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    said = failure()
    assert said.startswith(f"2 revisions of “{NAME}” are on this machine")
    assert f"{NAME}@{snapshot.name}" in said
    assert lt.load_model(f"{NAME}@{other.name}").directory == other
