"""What tests share: a cache folder of their own run, the built-in model once, and tiny random models."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
# What tests save is no user's: a test that looks at the store says where that is.
os.environ["LLM_TRACKER_STORE"] = "none"
# Where tests run in several processes, each and what it starts keeps to its share of the cores.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // int(workers)))

import llm_tracker as lt

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from postgres import PostgresServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the real model or the browser come first: no process is left alone with a long one at the end."""
    long = {item.path for item in items if any(item.iter_markers("real")) or any(item.iter_markers("browser"))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def embedded() -> lt.LoadedModel:
    """The built-in model; its conversion is kept in the user's cache, as the app keeps it."""
    return lt.load_model("embedded")


@pytest.fixture(scope="session")
def paris(embedded: lt.LoadedModel) -> lt.Session:
    """The newcomer's conversation."""
    return lt.track(
        embedded, "What is the capital of France?", ["That is wrong. The correct answer is London."], max_new_tokens=8
    )


@pytest.fixture(scope="session")
def tiny_llama() -> lt.LoadedModel:
    from tiny_models import tiny_model  # imports torch, which the process that only hands out the tests does without

    return tiny_model("llama")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder for this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "llm-tracker"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium: one for a process of tests, as Playwright serves a thread once."""
    from chromium import launched_chromium

    with launched_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real server, begun when the first test needs one."""
    from postgres import PostgresServer

    with PostgresServer() as server:
        yield server


@pytest.fixture
def kept_in(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The address of an empty store, by the database that is to keep it."""

    def address(database: str) -> str:
        if database == "sqlite":
            return str(tmp_path / "store" / "sessions.sqlite")
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database()

    return address


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, kept_in: Callable[[str], str]) -> str:
    """The address of an empty store, on each of the two databases."""
    return kept_in(request.param)
