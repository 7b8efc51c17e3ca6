"""What a view computes only when it is asked to: an offer with its button, then how far it has come, with a Stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from llm_tracker.app.parts.html import exact, paragraph, plain_label
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say

Begin = Callable[[Engine, Workspace, Subject], object]


def on_demand(
    engine: Engine, workspace: Workspace, subject: Subject, begin: Begin, label: str, offer: str = ""
) -> Any | None:
    """What was computed, if it was; else the offer to compute it, or how far that has come."""
    job, found = workspace.job, workspace.computed.get(subject)
    with st.container(key=f"on demand {subject}"):
        if job is not None and workspace.is_at_work_on(subject):
            watch(job, subject)
        elif found is None:
            if offer:
                paragraph(offer, quiet=True)
            begin_button(engine, workspace, subject, begin, label)
    return found


def begin_button(engine: Engine, workspace: Workspace, subject: Subject, begin: Begin, label: str) -> None:
    """Begins the work; it waits where something else is being computed."""
    work_button(workspace, subject, partial(begin, engine, workspace, subject), label, f"begin {subject}")


def work_button(workspace: Workspace, subject: Subject, begin: Callable[[], object], label: str, key: str) -> None:
    """The same for work on a subject that several buttons begin, each in its own way."""
    st.button(
        f"{plain_label(label)}{waiting(workspace)}",
        key=key,
        on_click=begin_or_say,  # before the page is drawn, or what its views need would come first
        args=(workspace, subject, begin),
        disabled=workspace.job is not None,
    )


def waiting(workspace: Workspace) -> str:
    """What a label says behind it where something else is being computed."""
    return f" ({say('once what is being computed is there')})" if workspace.job is not None else ""


def begin_or_say(workspace: Workspace, subject: Subject, begin: Callable[[], object]) -> None:
    """Begin work; where something else has come first, since the page was drawn, say so."""
    workspace.forget_views_error()
    is_busy = workspace.job is not None
    begin()
    if is_busy and not workspace.is_at_work_on(subject):
        st.toast(say("Not begun: something else is being computed. Press again once it is there."))


def watch(job: Job, subject: Subject) -> None:
    """How far it is, with a button that stops it; then the page is drawn anew."""
    follow_job(job, partial(_how_far, job, subject))


def _how_far(job: Job, subject: Subject) -> None:
    stage = job.progress.stage if job.progress is not None else say("Computing")
    if job.written:
        st.html(f'<div class="lt-written">{exact(job.written)}</div>')
    else:
        st.progress(job.share, text=f"{stage}: {number(job.share, '.0%')}")
    st.button(say("Stop"), key=f"stop {subject}", on_click=job.stop, disabled=job.stopping())
