"""The Layers page: words through the layers of the answers, and the map of all layers at all tokens."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.example import offer_example
from llm_tracker.app.selection.answer_pickers import answer_pickers
from llm_tracker.app.selection.arrangement import arrangement, drawn_with_control
from llm_tracker.app.selection.comparison import compare_at, shown_comparison
from llm_tracker.app.views.curves import curves_view
from llm_tracker.app.views.missing_work import background_status, coming_note, start_missing
from llm_tracker.app.views.positions import positions_view
from llm_tracker.app.views.watch_words import words_choice
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace


def layers_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    workspace.collect()
    drawn = workspace.version
    offer_example(workspace)
    st.title("Layers", anchor=False)
    st.caption("What would the model write, if it stopped after a layer?")
    coming_note(workspace)
    comparison = shown_comparison(workspace)
    answer_pickers(workspace, comparison)
    words = words_choice(workspace, comparison)
    start_missing(engine, workspace, comparison, words)
    with st.container():
        background_status(workspace)
    shown = arrangement(comparison, same_twice=False)
    with st.container():
        compare_at(comparison)
    curves_view(comparison, drawn_with_control(comparison, shown), words, shown)
    positions_view(engine, workspace, comparison, shown, words)
    if workspace.is_newer(drawn):
        st.rerun()
