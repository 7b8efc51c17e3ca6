"""What the shown views still need: it is begun unasked, and the page says what is being computed."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.parts.html import failure, paragraph
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.selection.address import selected
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.work.admission import not_at_hand
from llm_tracker.app.work.background import follow, read_step, run_control, score_words
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.workspace import VIEWS, Workspace
from llm_tracker.languages.texts import say


def start_missing(engine: Engine, workspace: Workspace, comparison: Comparison, words: list[str]) -> None:
    """Begin what the shown views still need: the control, a token's layers, or a word's, or its score."""
    if VIEWS in workspace.errors or workspace.answering:
        return
    run_control(engine, workspace, comparison.refs[1] if len(comparison.refs) > 1 else None)
    for side, ref in comparison.answers:
        read_step(engine, workspace, ref, side.step)
    for ref in comparison.refs:
        for word in words:
            follow(engine, workspace, ref.session, word)
    for number in dict.fromkeys(ref.session for ref in comparison.refs):
        turns = {ref.turn for ref in comparison.refs if ref.session == number}
        score_words(engine, workspace, number, turns, words, selected().compared_at)


def background_status(
    engine: Engine, workspace: Workspace, comparison: Comparison, followed: Subject | None = None
) -> None:
    """What is being computed for the views, or why it could not be; not of what the page itself has `followed`."""
    for said in dict.fromkeys(not_at_hand(engine, session) for session in comparison.sessions):
        if said:
            paragraph(say("Only what was read before can be looked at here: {why}", why=said), quiet=True)
    if error := workspace.errors.get(VIEWS):
        failure(error)
        st.button(say("Try again"), key="read again", on_click=workspace.forget_views_error)
    job = workspace.job
    if job is None or not job.active or job.meanwhile is None or (followed and job.subject == followed):
        return
    follow_job(job, partial(_watch, job, job.meanwhile))  # also of a view that stands on another page


def _watch(job: Job, meanwhile: Meanwhile) -> None:
    """That background work is under way."""
    if meanwhile.is_drawn_by_view:
        paragraph(meanwhile.text, quiet=True)
        return
    text, button = st.columns([5, 1], vertical_alignment="center")
    with text:
        paragraph(meanwhile.text, quiet=True)
    if meanwhile.skip_help:
        help_ = meanwhile.skip_help
        button.button(say("Skip"), key=f"skip {job.name}", on_click=job.stop, help=help_, width="stretch")


def coming_note(workspace: Workspace) -> None:
    """That an answer is on its way; then the page is drawn anew."""
    job = workspace.job
    with st.container(key="coming"):
        if job is not None and workspace.answering:
            follow_job(job, _say_that_it_comes)


def _say_that_it_comes() -> None:
    paragraph(say("An answer is being written on the Ask page; this page shows it once it is there …"), quiet=True)
