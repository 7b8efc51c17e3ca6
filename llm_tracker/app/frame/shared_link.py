"""A link by which somebody shares one conversation: it can be read here, and nothing of it changed."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import failure
from llm_tracker.app.selection.address import KEY
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say

PARAMETER = "share"


def open_shared(workspace: Workspace) -> None:
    """Open what the address shares, where this tab has just come; what is shared no more is taken back."""
    sessions = workspace.sessions
    sessions.look_after_lent()
    token = st.query_params.get(PARAMETER)
    if token is None:
        return
    number = sessions.lend(token)
    if number is None:
        if sessions.trouble:
            failure(f"{say('What this link shares cannot be opened now.')} {sessions.trouble}")
        else:
            failure(say("This link opens nothing here: its conversation was deleted, or is not shared any more."))
    elif KEY not in st.session_state and "turns" not in st.query_params:
        last = len(sessions[number].turns) - 1
        st.query_params["turns"] = "-".join(str(TurnRef(number, at)) for at in range(max(0, last - 1), last + 1))
