"""The language of the page: the visitor's choice, or the browser's language where the app speaks it."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from llm_tracker.app.parts.labelled_keys import carry_choices_over
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.spoken import ENGLISH, NAMES, ask_for_language
from llm_tracker.languages.texts import say

SPOKEN = "language spoken"
"""Where a tab's state has the code of its language: fragments are drawn without the page that they stand on."""


def speak(workspace: Workspace) -> None:
    """Draw all that follows in the visitor's language; what was chosen in another one stays chosen."""
    now = workspace.language if workspace.language in NAMES else _of_the_browser()
    before = st.session_state.get(SPOKEN, now)
    st.session_state[SPOKEN] = now
    if before != now:
        carry_choices_over(before, now)


def language_choice(workspace: Workspace) -> None:
    """The languages that the app speaks, each by its own name."""

    def choose() -> None:
        workspace.language = str(st.session_state["language"])

    codes = list(NAMES)
    st.session_state["language"] = st.session_state[SPOKEN]
    st.selectbox(
        say("Language"),
        codes,
        format_func=lambda code: NAMES[code],
        key="language",
        on_change=choose,
        help=say("Questions go to the model in the words that you type; its worked examples are English."),
    )


def _of_the_browser() -> str:
    code = (st.context.locale or ENGLISH).partition("-")[0].lower()
    return code if code in NAMES else ENGLISH


def _of_this_tab() -> str:
    """The language of the tab that is being drawn; English in a thread that draws none."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    return str(st.session_state.get(SPOKEN, ENGLISH))


ask_for_language(_of_this_tab)
