"""A real server with the real model, and a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hub_server import HubServer
from installations import ROOT, built_wheel
from playwright.sync_api import Browser, BrowserContext, Page
from serving import served_app
from steps import Visit, ask_capital, corrected_conversation, expect_ready, opened

from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.models.catalogue import TINYLLAMA


@pytest.fixture(scope="session")
def server(embedded: object) -> Iterator[str]:
    """The app's address, the built-in model converted before it starts; an error of the app is shown whole."""
    with served_app({**os.environ, "HF_HUB_OFFLINE": "1", "STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "full"}) as url:
        yield url


@pytest.fixture(scope="session")
def window(browser: Browser) -> BrowserContext:
    """Where tabs are opened. A visitor is known by the address alone, so that each tab is another visitor's."""
    return browser.new_context()


@pytest.fixture
def visit(browser: Browser, window: BrowserContext) -> Iterator[Visit]:
    """Opens tabs as `steps.opened` does, closed at the end; `apart`: in a window with a storage of its own."""
    with ExitStack() as tabs:

        def visit(address: str, *, apart: bool = False, **how: Any) -> Page:
            tab = opened(browser if apart else window, address, **how)
            tabs.callback(tab.close)
            return tab

        yield visit


@pytest.fixture
def page(visit: Visit, server: str) -> Page:
    """A fresh visitor's tab on the Ask page, with the model ready."""
    tab = visit(server)
    expect_ready(tab)
    return tab


@pytest.fixture(scope="session")
def asked(window: BrowserContext, server: str) -> Iterator[str]:
    """The address of a conversation to look at and not to change: the newcomer's question, answered."""
    tab = opened(window, server)
    expect_ready(tab)
    ask_capital(tab)
    yield tab.url  # its tab stays open: what nobody looks at is let go when there are many visitors
    tab.close()


@pytest.fixture(scope="session")
def corrected(window: BrowserContext, server: str) -> Iterator[str]:
    """The address of a conversation to look at and not to change: a question, its correction and the control."""
    tab = corrected_conversation(window, server)
    yield tab.url
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
    """This checkout as a wheel, built once for all processes of a run."""
    run = tmp_path_factory.getbasetemp()
    folder = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "wheel"
    with FileLock(f"{folder}.lock"):
        return next(folder.glob("*.whl"), None) or built_wheel(ROOT, folder)
