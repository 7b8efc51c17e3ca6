"""An engine for tests of pages, whose models are all one tiny random model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from visitor import Loader

from llm_tracker.app.work import engine as engines


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
