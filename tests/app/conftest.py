"""An engine for tests of pages, whose models are all one tiny random model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from visitor import Loader

from llm_tracker.app.frame import owner
from llm_tracker.app.work import engine as engines


@pytest.fixture(scope="session", autouse=True)
def _no_component_packages() -> Iterator[None]:
    """Streamlit looks through every installed package for components each time a page is opened: there are none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
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
