"""Whether what is on the screen is also in the store."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import failure
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.wording.history import conversations


def saving_status(workspace: Workspace) -> None:
    """Why something could not be saved or opened, and what that means; nothing where all is well."""
    with st.container(key="saving"):
        sessions = workspace.sessions
        if sessions.trouble:
            n = sessions.n_unsaved
            kept = f" {conversations(n).capitalize()} of yours {'is' if n == 1 else 'are'} in memory only, and "
            failure(f"{sessions.trouble}{kept + 'will be saved as soon as that can be done.' if n else ''}")
