"""The Tokens page: walk through an answer, let it go on otherwise, and ask it many times."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.selection.arrangement import arrangement, drawn_sides
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.tokens.branches import branches_view
from llm_tracker.app.tokens.players import bars_view, players
from llm_tracker.app.tokens.samples import samples_view
from llm_tracker.app.views.explored import explored
from llm_tracker.app.views.missing_work import background_status
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say


def tokens_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    explored(
        workspace,
        say("Tokens"),
        say("How was the answer written, token by token, and what might it have said?"),
        partial(_page, engine, workspace),
    )


def _page(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    with st.container():
        background_status(engine, workspace, comparison)
    shown = arrangement(comparison, same_twice=False, has_control=False)
    sides = drawn_sides(comparison, shown)
    players(engine, workspace, comparison, sides)
    branches_view(workspace, comparison)
    bars_view(comparison, sides, shown)
    samples_view(engine, workspace, comparison, sides)
