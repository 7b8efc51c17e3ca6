"""The Tokens page: walk through an answer, let it go on otherwise, and ask it many times."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.example import offer_example
from llm_tracker.app.selection.answer_pickers import answer_pickers
from llm_tracker.app.selection.arrangement import arrangement, drawn_sides
from llm_tracker.app.selection.comparison import shown_comparison
from llm_tracker.app.views.branches import branches_view
from llm_tracker.app.views.missing_work import background_status, coming_note
from llm_tracker.app.views.samples import samples_view
from llm_tracker.app.views.tokens import bars_view, players
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace


def tokens_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    workspace.collect()
    drawn = workspace.version
    offer_example(workspace)
    st.title("Tokens", anchor=False)
    st.caption("How was the answer written, token by token, and what might it have said?")
    coming_note(workspace)
    comparison = shown_comparison(workspace)
    answer_pickers(workspace, comparison)
    with st.container():
        background_status(workspace)
    shown = arrangement(comparison, same_twice=False)
    sides = drawn_sides(comparison, shown)
    players(engine, workspace, comparison, sides)
    branches_view(workspace, comparison)
    bars_view(comparison, sides, shown)
    samples_view(engine, workspace, comparison, sides)
    if workspace.is_newer(drawn):
        st.rerun()
