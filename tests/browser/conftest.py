"""A real server with the real model, and a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import launched_chromium
from hub_server import HubServer
from installations import ROOT, built_wheel
from playwright.sync_api import Browser, Page, expect
from serving import served_app

from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.models.catalogue import TINYLLAMA

expect.set_options(timeout=15_000)  # a slow machine is no failure: how fast things are is measured elsewhere


@pytest.fixture(scope="session")
def server(embedded: object) -> Iterator[str]:
    """The app's address. The built-in model has been converted before it starts."""
    with served_app({**os.environ, "HF_HUB_OFFLINE": "1"}) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched_chromium() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A fresh visitor's tab on the Ask page, with the model ready."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.set_default_timeout(60_000)
    tab.goto(server)
    tab.get_by_text("✓ read exactly").wait_for()
    yield tab
    tab.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A hub on this machine that has a tiny model under TinyLlama's name."""
    write_tinyllama_like(tmp_path / "hub" / TINYLLAMA.location)
    with HubServer(tmp_path / "hub") as server:
        yield server


@pytest.fixture
def online(hub: HubServer, tmp_path: Path, embedded: object) -> Iterator[str]:
    """The app's address, where that hub can be reached and nothing has been downloaded yet."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    with served_app({**plain, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf-home")}) as url:
        yield url


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as a wheel."""
    return built_wheel(ROOT, tmp_path_factory.mktemp("wheel"))
