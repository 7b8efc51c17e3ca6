"""The Compare page: the same conversation on several models, and on one model in several number formats."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from llm_tracker.analysis.across_models.runs import named
from llm_tracker.app.compare.answers import answers_view
from llm_tracker.app.compare.attention import attention_view
from llm_tracker.app.compare.conversation import Conversation, conversation_of, conversation_view
from llm_tracker.app.compare.form import Asked, models_form
from llm_tracker.app.compare.lead import lead_view
from llm_tracker.app.compare.status import status
from llm_tracker.app.compare.tokenisations import tokenisations_view
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.views.explored import explored
from llm_tracker.app.views.missing_work import background_status
from llm_tracker.app.work.comparing.running import compared
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say

STYLE = Path(__file__).parent.with_name("parts").joinpath("compare.css")


def compare_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    st.html(STYLE)
    explored(
        workspace,
        say("Compare"),
        say("What do other models, or the same one in another number format, make of the same words?"),
        partial(_page, engine, workspace),
    )


def _page(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    conversation = conversation_of(comparison)
    with st.container():
        background_status(engine, workspace, comparison, conversation.subject)
    conversation_view(conversation)
    with st.container(key="models form"):
        asked = models_form(engine, workspace, conversation)
    status(workspace, conversation, asked)
    _results(workspace, conversation, asked)


def _results(workspace: Workspace, conversation: Conversation, asked: Asked) -> None:
    """All that is there of the models that are chosen, and why it is not of the others."""
    comparing = compared(workspace, conversation.subject)
    there = [each for each in asked.variants if each in comparing.runs]
    if not there and not any(each in comparing.failures for each in asked.variants):
        if not workspace.is_at_work_on(conversation.subject):
            paragraph(
                say(
                    "Nothing has been run yet. Choose further models above, then press the button: each of them is "
                    "told the same, word for word, and answers by itself. Its answers, layers and attention stand "
                    "here. What comes is kept in memory, not in the History; the oldest goes where much else is "
                    "computed."
                ),
                quiet=True,
            )
        return
    runs = named([comparing.runs[each] for each in there])
    is_at_work = workspace.is_at_work_on(conversation.subject)
    answers_view(asked, comparing, dict(zip(there, runs, strict=True)), is_at_work)
    if runs:
        lead_view(runs, asked.word, asked.over)
        attention_view(runs)
        tokenisations_view(runs, asked.words)
