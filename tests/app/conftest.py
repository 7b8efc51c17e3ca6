"""An engine for tests of pages, whose models are all one tiny random model."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import local_script_runner
from visitor import Loader

from llm_tracker.app.frame import owner
from llm_tracker.app.work import engine as engines


@pytest.fixture(scope="session", autouse=True)
def _no_component_packages() -> Iterator[None]:
    """Streamlit looks through every installed package for components each time a page is opened: there are none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield


@pytest.fixture(scope="session", autouse=True)
def _nothing_old_to_collect() -> None:
    """A model that was loaded is followed by a full collection, which need not look through all libraries each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _quiet_waiting() -> Iterator[None]:
    """Streamlit asks a thousand times a second whether the script has ended, and slows it down: its thread can tell."""

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
        thread = runner._script_thread
        assert thread is not None
        thread.join(timeout)
        if thread.is_alive():
            runner.request_stop()
            raise RuntimeError(f"The page did not end in {timeout} seconds.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        yield


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The visitor's browser runs on the machine of the app; a page that runs as a script has no browser."""
    monkeypatch.setattr(owner, "is_on_this_machine", lambda: True)


@pytest.fixture
def loader() -> Loader:
    """What the engine loads models with: one tiny random model under every name, until a test says otherwise."""
    return Loader()


@pytest.fixture
def engine(loader: Loader) -> Iterator[engines.Engine]:
    """An engine of its own, whose models are all one tiny random model."""
    st.cache_resource.clear()
    yield engines.the_engine(engines.Engine(loader, first_model_id="embedded"))
    st.cache_resource.clear()
