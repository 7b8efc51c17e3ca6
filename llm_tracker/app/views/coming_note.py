"""While an answer is being written on the Ask page, the other pages say so and wait for it."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.workspace import Workspace


def coming_note(workspace: Workspace) -> None:
    """That an answer is on its way; then the page is drawn anew."""
    job = workspace.job
    with st.container(key="coming"):
        if job is not None and workspace.answering:
            _watch(job)


@st.fragment(run_every=0.5)
def _watch(job: Job) -> None:
    if not job.active:
        st.rerun()
    paragraph("An answer is being written on the Ask page; this page shows it once it is there …", quiet=True)
