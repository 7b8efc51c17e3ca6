"""A file of the hub's cache is what its name says only if it was checked here; what is not is never used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hub_server import HubServer
from hub_steps import NAME, failure, require_whole
from huggingface_hub import hf_hub_download

import llm_tracker as lt
from llm_tracker.models.sources import digests
from llm_tracker.models.sources.digests import content_sha256, digest, sha256_of, weights_sha256
from llm_tracker.models.sources.hub import ask_hub, download
from llm_tracker.models.sources.hub_cache import RepositoryCache
from llm_tracker.progress import Progress, Report, silent


def blob_of(name: str) -> Path:
    (file,) = [each for each in ask_hub(NAME).files if each.name == name]
    return RepositoryCache(NAME).blob(file.digest)


def fetched_by_the_hubs_client(hub: HubServer) -> Path:
    """The snapshot of a model that another program has downloaded."""
    (snapshot,) = {Path(hf_hub_download(NAME, path.name)).parent for path in hub.files(NAME)}
    return snapshot


def damage(file: Path) -> None:
    """Change its content and not its size."""
    content = bytearray(file.read_bytes())
    content[-100] ^= 0xFF
    file.write_bytes(content)


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read for a SHA-256."""
    names: list[str] = []

    def counted(path: Path, report: Report = silent) -> str:
        names.append(path.resolve().name)
        return digest(path, report)

    monkeypatch.setattr(digests, "digest", counted)
    return names


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_file_of_the_right_size_and_another_content_is_fetched_anew(name: str, hub: HubServer) -> None:
    blob = blob_of(name)
    blob.parent.mkdir(parents=True)
    blob.write_bytes((hub.root / NAME / name).read_bytes())
    damage(blob)
    assert lt.load_model(NAME).proof.ok
    require_whole(hub)


def test_a_snapshot_with_a_damaged_file_gets_it_anew_with_the_next_download(hub: HubServer) -> None:
    download(ask_hub(NAME), silent)
    damage(blob_of("model.safetensors"))
    download(ask_hub(NAME), silent)
    require_whole(hub)


def test_damaged_weights_are_refused_until_they_are_removed(hub: HubServer) -> None:
    fetched_by_the_hubs_client(hub)
    blob = blob_of("model.safetensors")
    damage(blob)
    said = f"model.safetensors is damaged: its content is not what the model hub announced. Remove {blob} and load"
    assert failure().startswith(said)
    assert failure().startswith(said), "also once its digest is known"
    blob.unlink()
    assert lt.load_model(NAME).weights_sha256 == blob.name
    require_whole(hub)


def test_what_was_fetched_and_checked_here_is_not_read_for_its_digest(hub: HubServer, read_files: list[str]) -> None:
    model = lt.load_model(NAME)
    assert model.weights_sha256 == digest(hub.root / NAME / "model.safetensors")
    assert read_files == []


def test_what_another_program_fetched_is_read_once_until_it_changes(hub: HubServer, read_files: list[str]) -> None:
    snapshot = fetched_by_the_hubs_client(hub)
    blob = blob_of("model.safetensors")
    assert weights_sha256(snapshot) == weights_sha256(snapshot) == blob.name
    assert lt.load_model(NAME).weights_sha256 == blob.name
    assert read_files == [blob.name]
    damage(blob)
    assert content_sha256(blob) == digest(blob) != blob.name


def test_reading_weights_for_their_digest_can_be_stopped(hub: HubServer) -> None:
    fetched_by_the_hubs_client(hub)

    def stop(progress: Progress) -> None:
        if progress.stage == "Checking the weights, once":
            raise lt.Cancelled("Stopped.")

    with pytest.raises(lt.Cancelled):
        lt.load_model(NAME, report=stop)


def test_a_file_is_on_the_disk_before_it_has_its_name(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    written: set[int] = set()
    flush, replace = os.fsync, os.replace

    def flushed(number: int) -> None:
        written.add(os.fstat(number).st_ino)
        flush(number)

    def named(source: Path, target: Path) -> None:
        assert "blobs" not in Path(target).parts or Path(source).stat().st_ino in written
        replace(source, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", named)
    download(ask_hub(NAME), silent)
    assert len(written) >= len(hub.files(NAME))


def test_only_the_hubs_cache_names_files_by_their_digest(tmp_path: Path, own_cache: Path) -> None:
    file = tmp_path / ("0" * 64)
    file.write_text("x")
    assert sha256_of(file) == digest(file)


def test_where_digests_cannot_be_kept_they_are_read_each_time(
    tmp_path: Path, read_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> Path:
        raise PermissionError

    monkeypatch.setattr(digests, "cache_dir", refused)
    (tmp_path / "file").write_text("x")
    assert sha256_of(tmp_path / "file") == sha256_of(tmp_path / "file") == digest(tmp_path / "file")
    assert read_files == ["file", "file"]
