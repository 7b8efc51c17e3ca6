"""What tests of models from a hub do again and again."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hub_server import HubServer
from huggingface_hub import constants

import llm_tracker as lt
from llm_tracker.models.sources.hub import cached_model
from llm_tracker.models.sources.hub_cache import RepositoryCache
from llm_tracker.models.sources.resumable_download import PART_SUFFIX

NAME = "someone/tiny-llama"


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this address for the hub's."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    )


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def failure(name: str = NAME, trust: lt.Trust | None = None) -> str:
    """What the user is told when a model cannot be loaded: one line."""
    with pytest.raises(lt.ModelError) as caught:
        lt.load_model(name, trust=trust or lt.Trust())
    said = str(caught.value)
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def parts() -> list[Path]:
    """What has arrived in part."""
    return sorted(RepositoryCache(NAME).folder.glob(f"blobs/*{PART_SUFFIX}"))


def require_whole(hub: HubServer) -> None:
    """The cache holds the model as the hub has it, and nothing of the way there."""
    snapshot = cached_model(NAME)
    assert snapshot is not None
    assert {path.name: path.read_bytes() for path in snapshot.iterdir()} == {
        path.name: path.read_bytes() for path in hub.files(NAME)
    }
    assert parts() == []
