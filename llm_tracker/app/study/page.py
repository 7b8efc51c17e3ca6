"""The Study page: many questions, each answered and corrected in several ways, on one model or two."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from llm_tracker.app.study.form import study_form
from llm_tracker.app.study.status import drawn_study, others_status
from llm_tracker.app.views.missing_work import coming_note
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say

STYLE = Path(__file__).parent.with_name("parts").joinpath("study.css")


def study_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    workspace.collect()
    drawn = workspace.version
    st.html(STYLE)
    st.title(say("Study"), anchor=False)
    st.caption(
        say("Ask many questions, correct every answer in several ways, and count what changes beyond one example.")
    )
    coming_note(workspace)
    with st.container():
        others_status(workspace)
    study_form(engine, workspace)
    with st.container(key="study_results"):
        _results(workspace)
    if workspace.is_newer(drawn):
        st.rerun()


def _results(workspace: Workspace) -> None:
    so_far = drawn_study(workspace)
    if so_far is None:
        return
    from llm_tracker.app.study.found import found_study  # with pandas and the charts: not for the first paint
    from llm_tracker.app.study.results import results_view
    from llm_tracker.app.study.take_along import take_along

    found = found_study(so_far)
    results_view(found)
    take_along(found)
