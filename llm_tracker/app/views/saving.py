"""Whether what is on the screen is also in the store."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import failure
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say_n


def saving_status(workspace: Workspace) -> None:
    """Why something could not be saved or opened, and what that means; nothing where all is well."""
    with st.container(key="saving"):
        sessions = workspace.sessions
        if sessions.trouble:
            n = sessions.n_unsaved
            kept = say_n(
                "{n} conversation of yours is in memory only, and will be saved as soon as that can be done.",
                "{n} conversations of yours are in memory only, and will be saved as soon as that can be done.",
                n,
                n=number(n, ","),
            )
            failure(f"{sessions.trouble} {kept}" if n else sessions.trouble)
