"""An engine for tests of pages, whose models are all one tiny random model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from visitor import tiny_of_any_name

from llm_tracker.app.work import engine as engines


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[engines.Engine]:
    """An engine of its own, whose models are all one tiny random model."""
    st.cache_resource.clear()
    engine = engines.the_engine()
    monkeypatch.setattr(engine.models.pool, "_load", tiny_of_any_name)
    monkeypatch.setattr(engines, "_first_model_id", lambda: "embedded")
    yield engine
    st.cache_resource.clear()
