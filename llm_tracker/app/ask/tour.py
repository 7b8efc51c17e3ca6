"""The first six steps: a line on the Ask page that says what to do next, until all are done or skipped."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.work.turn_ref import EXAMPLE
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.texts import later, say

STEPS = (
    later("Look at the example: a question, the answer, a correction, and what the answer became."),
    later("Ask a question that one word answers: type one, or click a ready one below the field."),
    later("Correct the answer: say that it is wrong, or click a ready correction below the answers."),
    later("Read the headline: how likely each word was before, after, and when merely asked again."),
    later("Look inside: what it might have written, what each layer would have said, where it looked."),
    later("Find out what the correction did: open the page Correction, and click once."),
)

ASKS, CORRECTS, LAST = 1, 2, len(STEPS) - 1
"""The steps that are done by doing them, and the last one."""

CORRECTION_PAGE = "pages/4_Correction.py"


def tour(workspace: Workspace, comparison: Comparison) -> None:
    """The step that comes next; nothing once all six are done."""
    _notice_what_was_done(workspace, comparison)
    if workspace.tour >= len(STEPS):
        return
    at = workspace.tour
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tour"):
        count = say("First steps, {step} of {steps}", step=at + 1, steps=len(STEPS))
        st.html(f'<p class="lt-text" role="status"><b>{sentence(count)}.</b> {sentence(say(STEPS[at]))}</p>')
        if at == LAST:
            if st.button(say("Open Correction"), key="tour last"):
                workspace.tour = len(STEPS)
                st.switch_page(CORRECTION_PAGE, query_params={"s": workspace.key})
        elif at not in (ASKS, CORRECTS):
            st.button(say("Next"), key="tour next", on_click=_go_on, args=(workspace, at + 1))
        st.button(
            say("Skip these steps"), key="tour skip", type="tertiary", on_click=_go_on, args=(workspace, len(STEPS))
        )


def _go_on(workspace: Workspace, step: int) -> None:
    workspace.tour = step


def _notice_what_was_done(workspace: Workspace, comparison: Comparison) -> None:
    """Whoever asks or corrects has done that step, and those before it."""
    if comparison.refs[-1].session == EXAMPLE or not workspace.begun or workspace.tour >= len(STEPS):
        return
    workspace.tour = max(workspace.tour, CORRECTS if comparison.after is None else CORRECTS + 1)
