"""The Layers page: words through the layers of the answers, and the map of all layers at all tokens."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.layers.curves import curves_view
from llm_tracker.app.layers.positions import positions_view
from llm_tracker.app.selection.arrangement import arrangement, drawn_with_control
from llm_tracker.app.selection.comparison import Comparison, compare_at
from llm_tracker.app.views.explored import explored
from llm_tracker.app.views.missing_work import background_status, start_missing
from llm_tracker.app.views.watch_words import words_choice
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say


def layers_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    explored(
        workspace,
        say("Layers"),
        say("What would the model write, if it stopped after a layer?"),
        partial(_page, engine, workspace),
    )


def _page(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    words = words_choice(workspace, comparison)
    start_missing(engine, workspace, comparison, words)
    with st.container():
        background_status(engine, workspace, comparison)
    shown = arrangement(comparison, same_twice=False)
    with st.container():
        compare_at(comparison)
    curves_view(comparison, drawn_with_control(comparison, shown), words, shown)
    positions_view(engine, workspace, comparison, shown, words)
