"""After another model was chosen: ask it what the shown conversation began with, and compare the two answers."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import paragraph, plain_label
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.work.asking import ask_same
from llm_tracker.app.work.engine import Engine, should_load
from llm_tracker.app.work.turn_ref import EXAMPLE
from llm_tracker.app.work.workspace import Workspace


def offer_same_question(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """The button, as soon as another model is chosen; it can be pressed once that model is ready."""
    number = comparison.refs[0].session
    is_another = workspace.wanted_id not in {session.model.id for session in comparison.sessions}
    if number != EXAMPLE and is_another and (_is_ready(workspace) or _is_coming(engine, workspace)):
        title = plain_label(engine.models.entry(workspace.wanted_id).title)
        later = "" if _is_ready(workspace) else " (once it is ready)"
        st.button(
            f"Ask {title} the same, and compare{later}",
            key="ask same",
            on_click=ask_same,
            args=(engine, workspace, number),
            disabled=bool(later) or workspace.answering,
        )
    elif comparison.of_two_models:
        paragraph("A correction goes to the model that gave the answer.", quiet=True)


def _is_ready(workspace: Workspace) -> bool:
    """Whether the chosen model is the one that questions go to now: it was loaded, if only let go since."""
    return workspace.model_id == workspace.wanted_id


def _is_coming(engine: Engine, workspace: Workspace) -> bool:
    """Whether the chosen model is being loaded, or is to be."""
    loading = engine.models.load_job(workspace.wanted_id)
    return should_load(engine, workspace) or (loading is not None and loading.active)
