"""Show kept conversations on the other pages."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from llm_tracker.app.selection.address import select
from llm_tracker.app.selection.selection import NEITHER, OF_ANSWERS
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace


def open_on(workspace: Workspace, page: str, turns: tuple[TurnRef, ...], question: str) -> NoReturn:
    """Go to a page with these answers, the fields as they would be had they just been asked for."""
    select(turns=turns, steps=NEITHER, words=None, map_from=None, **OF_ANSWERS)
    st.session_state["question"] = question
    st.session_state["correction"] = ""
    st.switch_page(page, query_params={"s": workspace.key})
