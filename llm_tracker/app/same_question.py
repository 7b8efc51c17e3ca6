"""After another model was chosen: ask it what the shown conversation began with, and compare the two answers."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.comparison import Comparison
from llm_tracker.app.engine import Engine, should_load
from llm_tracker.app.html import paragraph, plain_label
from llm_tracker.app.workspace import EXAMPLE, Workspace


def offer_same_question(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """The button, as soon as another model is chosen; it can be pressed once that model is ready."""
    number = comparison.places[0].session
    job = workspace.job if workspace.answering else None
    asked = {session.model.id for session in comparison.sessions}
    if comparison.of_two_models and job is None:
        paragraph("A correction goes to the model that gave the answer.", quiet=True)
    elif number == EXAMPLE or workspace.wanted_id in asked:
        return
    elif _is_ready(engine, workspace) or _is_coming(engine, workspace):
        title = plain_label(engine.models.entry(workspace.wanted_id).title)
        later = "" if _is_ready(engine, workspace) else " (once it is ready)"
        st.button(
            f"Ask {title} the same, and compare{later}",
            key="ask same",
            on_click=engine.ask_same,
            args=(workspace, number),
            disabled=bool(later) or job is not None,
        )


def _is_ready(engine: Engine, workspace: Workspace) -> bool:
    """Whether the chosen model is the one that questions go to now: it was loaded, if only let go since."""
    return workspace.model_id == workspace.wanted_id


def _is_coming(engine: Engine, workspace: Workspace) -> bool:
    """Whether the chosen model is being loaded, or is to be."""
    loading = engine.models.load_job(workspace.wanted_id)
    return should_load(engine, workspace) or (loading is not None and loading.active)
