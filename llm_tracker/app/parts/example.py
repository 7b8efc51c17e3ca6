"""The finished example: a session of the real model, stored with the app and reopened without any model."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.storage.session_directory import load_session
from llm_tracker.tracing.session import Session

EXAMPLE_DIR = Path(__file__).with_name("example")
"""Written by scripts/make_example.py."""


@st.cache_resource(show_spinner=False)
def example_session() -> Session:
    """The stored session, read once."""
    return load_session(EXAMPLE_DIR)


def offer_example(workspace: Workspace) -> None:
    """Show the example in a workspace in which nothing has been asked yet."""
    workspace.sessions.setdefault(EXAMPLE, example_session())
    if workspace.shown is None:
        workspace.shown = (TurnRef(EXAMPLE, 0), TurnRef(EXAMPLE, 1))
