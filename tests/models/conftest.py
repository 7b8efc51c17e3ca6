"""A hub on this machine, with a tiny model in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from hub_server import HubServer
from hub_steps import NAME, point_to
from huggingface_hub import constants

from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.models.sources import hub_failures


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's directory, to copy and not to change."""
    return write_tinyllama_like(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def repositories(tmp_path: Path, checkpoint: Path) -> Path:
    shutil.copytree(checkpoint, tmp_path / "hub" / NAME)
    return tmp_path / "hub"


@pytest.fixture
def hub(repositories: Path, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub that this process takes for the hub, and a cache of its own."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(hub_failures, "PAUSES_SECONDS", (0.01, 0.01, 0.01, 0.01))
    with HubServer(repositories) as server:
        point_to(server.url, monkeypatch)
        yield server
        huggingface_hub.close_session()
