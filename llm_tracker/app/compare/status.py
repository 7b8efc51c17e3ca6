"""Which model is at work and how far it has come, with a Stop; or why nothing was begun."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.compare.conversation import Conversation
from llm_tracker.app.compare.form import Asked
from llm_tracker.app.frame.model_facts import stage_text
from llm_tracker.app.parts.html import failure, plain_label
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.work.comparing.running import compared
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say


def status(workspace: Workspace, conversation: Conversation, asked: Asked) -> None:
    """A place of its own, so that what comes and goes in it moves nothing else anew."""
    subject, job = conversation.subject, workspace.job
    with st.container(key="comparing status"):
        if error := workspace.errors.get(subject):
            failure(error)
        if job is not None and workspace.is_at_work_on(subject):
            comparing = compared(workspace, subject)
            done = len(comparing.wanted) - len(comparing.ahead)
            name = asked.label(comparing.ahead[0]) if comparing.ahead else ""
            follow_job(job, partial(_how_far, workspace, job, name, done, len(comparing.wanted)))


def _how_far(workspace: Workspace, job: Job, name: str, done: int, total: int) -> None:
    """A bar over all models, and what is being done with this one."""
    share = min(1.0, (done + job.share) / max(1, total))
    stage = stage_text(job) or say("being asked")
    said = say("{model} ({at} of {total}): {stage} …", model=name, at=done + 1, total=total, stage=stage)
    st.progress(share, text=plain_label(said))
    stop = partial(workspace.stop_work_on, job.subject)
    st.button(say("Stop"), key="stop comparing", on_click=stop, disabled=job.stopping())
