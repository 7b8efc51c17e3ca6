"""What the pages that explore begin and end with: which answers they show, and what is under way for them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_tracker.app.parts.example import offer_example
from llm_tracker.app.selection.answer_pickers import answer_pickers
from llm_tracker.app.selection.comparison import Comparison, shown_comparison
from llm_tracker.app.views.missing_work import coming_note
from llm_tracker.app.views.saving import saving_status
from llm_tracker.app.work.workspace import Workspace


def explored(workspace: Workspace, title: str, question: str, draw: Callable[[Comparison], None]) -> None:
    """A page about the answers that are chosen on it: `draw` draws what is below that choice.

    What has arrived by then is drawn at once, in a run of its own.
    """
    workspace.collect()
    drawn = workspace.version
    offer_example(workspace)
    st.title(title, anchor=False)
    st.caption(question)
    saving_status(workspace)
    coming_note(workspace)
    comparison = shown_comparison(workspace)
    answer_pickers(workspace, comparison)
    draw(comparison)
    if workspace.is_newer(drawn):
        st.rerun()
