"""The Ask page's panels: question, answers, correction, headline, and which token the views describe."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.analysis.reading import headline
from llm_tracker.app.cards import answer_card, empty_card, headline_text, running_card
from llm_tracker.app.engine import Engine
from llm_tracker.app.frame import RECIPE_LABELS
from llm_tracker.app.jobs import Job
from llm_tracker.app.views import Side, step_label
from llm_tracker.app.workspace import Workspace
from llm_tracker.tracing.session import Session, Turn

FIRST_QUESTION = "What is the capital of France?"


def question_form(engine: Engine, workspace: Workspace) -> None:
    """The question and its button; Enter asks too."""

    def submit() -> None:
        if not st.session_state["question"].strip():
            workspace.ask_error, workspace.correct_error = "The question is empty. Type one, then press Ask.", ""
            return
        engine.ask(workspace, st.session_state["question"])

    job, session = workspace.job, workspace.session
    asked = job.said if job is not None and job.kind == "ask" else session.turns[0].said if session else FIRST_QUESTION
    _one_line_form("ask", "Question", asked, "Ask", submit, workspace)
    if workspace.ask_error:
        st.error(workspace.ask_error)


def correction_form(engine: Engine, workspace: Workspace) -> None:
    """The correction and its button."""

    def submit() -> None:
        text = st.session_state["correction"]
        workspace.ask_error = ""
        if workspace.session is None:
            workspace.correct_error = "There is no answer to correct yet. Ask a question first."
        elif not text.strip():
            workspace.correct_error = "The correction is empty. Type one, then press Correct."
        else:
            engine.correct(workspace, text)

    _one_line_form("correct", "Correction", "", "Correct", submit, workspace)
    if workspace.correct_error:
        st.error(workspace.correct_error)


def _one_line_form(form: str, label: str, text: str, button: str, submit: object, workspace: Workspace) -> None:
    """A text field with a button beside it; one job at a time."""
    key = {"ask": "question", "correct": "correction"}[form]
    with st.form(f"{form} form", border=False):
        field, press = st.columns([5, 1], vertical_alignment="bottom")
        placeholder = "That is wrong. The correct answer is London." if form == "correct" else ""
        field.text_input(label, text, key=key, placeholder=placeholder, persist_state="session")
        press.form_submit_button(
            button,
            type="primary" if form == "ask" else "secondary",
            on_click=submit,  # type: ignore[arg-type]
            disabled=workspace.answering,
            width="stretch",
            key=f"{form} button",
        )


def answer_cards(engine: Engine, workspace: Workspace, shown: list[tuple[str, Turn]]) -> None:
    """Before | after; the side that a job is working on shows its tokens as they come."""
    job = workspace.job
    left, right = st.columns(2)
    asking = job is not None and job.kind == "ask"
    correcting = job is not None and job.kind == "correct"
    turns = dict(shown)
    if correcting and workspace.session is not None:
        turns = {"before": workspace.session.turns[-1]}
    with left:
        if job is not None and asking:
            _watch_answer(engine, job, "before")
        elif "before" in turns:
            answer_card("before", turns["before"])
        else:
            empty_card("before", "The answer will stand here.")
    with right:
        if job is not None and correcting:
            _watch_answer(engine, job, "after")
        elif "after" in turns and not asking:
            answer_card("after", turns["after"])
        else:
            empty_card("after", "Correct the answer, and the next one will stand here.")


@st.fragment(run_every=0.25)
def _watch_answer(engine: Engine, job: Job, name: str) -> None:
    """Show an answer as it comes, with Stop; when it has ended, draw the page anew."""
    if not job.active:
        st.rerun()
    running_card(name, job, f"{_stage(engine, job)} …")
    st.button("Stop", key=f"stop {name}", on_click=job.stop, width="stretch")


def _stage(engine: Engine, job: Job) -> str:
    """What an answer is waiting for, or that it is being written."""
    if job.stopping():
        return "Stopping"
    load = engine.load_job(job.model_id)
    if job.status == "queued" and load is not None and load.active:
        return load.progress.stage if load.progress else "Waiting for the model"
    if job.status == "queued":
        return f"Waiting, {engine.worker(job.model_id).ahead_of(job)} ahead of you"
    if job.progress:
        return job.progress.stage
    return "Writing" if job.text else "Reading the text"


@st.fragment(run_every=0.25)
def watch_reading(job: Job) -> None:
    """Wait for a lens that a view asked for."""
    if not job.active:
        st.rerun()
    st.caption("Reading this token's layers …")


def compared_turns(session: Session) -> list[tuple[str, Turn]]:
    """The turns on the left and on the right: the last two, or two chosen ones where there are more."""
    turns = list(session.turns)
    if len(turns) < 2:
        return [("before", turns[0])]
    if len(turns) == 2:
        return [("before", turns[0]), ("after", turns[1])]
    left, right = st.columns(2)
    before = left.selectbox(
        "Before", range(len(turns)), len(turns) - 2, format_func=_turn_label, key=f"before of {len(turns)}"
    )
    after = right.selectbox(
        "After", range(len(turns)), len(turns) - 1, format_func=_turn_label, key=f"after of {len(turns)}"
    )
    return [("before", turns[before]), ("after", turns[after])]


def _turn_label(index: int) -> str:
    return "first answer" if index == 0 else f"after correction {index}"


def headline_panel(session: Session, sides: list[Side]) -> None:
    """What changed, in one line, at the tokens that the views describe."""
    if len(sides) < 2:
        return
    before, after = sides
    places = session.turns.index(before.turn), session.turns.index(after.turn)
    headline_text(headline(session, *places, (before.step, after.step)))
    where = "the first token of each answer"
    if before.step or after.step:
        where = f"token {before.step + 1} before and token {after.step + 1} after, each behind its own words"
    st.caption(
        f"Probabilities at {where}. Part of any change comes from being asked again at all; nothing is learned: "
        "the correction is only more text in front of the answer."
    )


def answered_by(workspace: Workspace, session: Session) -> None:
    """Which model and recipe made what is shown, and when the sidebar's choices apply."""
    recipe = RECIPE_LABELS.get(session.recipe, session.recipe).lower()
    later = ""
    if (session.model.id, session.recipe) != (workspace.wanted_id, workspace.recipe):
        later = " A correction goes to the same; what the sidebar says now is for the next question."
    st.caption(f"Answered by {session.model.title}, {recipe}.{later}")


def chosen_sides(session: Session, shown: list[tuple[str, Turn]]) -> list[Side]:
    """Which generated token each side's views describe: in a comparison the first one, else the answer's."""
    at_answer = _compared_at(shown) == "answer"
    sides = []
    for column, (name, turn) in zip(st.columns(len(shown)), shown, strict=True):
        steps = list(range(turn.trace.n_steps))
        step = column.selectbox(
            f"Token to look at, {name}",
            steps,
            turn.answer_step if at_answer else 0,
            format_func=partial(step_label, turn),
            key=f"step {session.turns.index(turn)} {name} {at_answer} {turn.trace.n_steps} {turn.text}",
        )
        sides.append(Side(name, turn, step))
    return sides


def _compared_at(shown: list[tuple[str, Turn]]) -> str:
    """Where two turns are compared; a choice only where an answer does not begin with its answer token."""
    if len(shown) < 2 or all(turn.answer_step == 0 for _, turn in shown):
        return "answer"
    labels = {"first": "at the first token of each answer", "answer": "at each answer's own token"}
    place = st.segmented_control(
        "Compare",
        list(labels),
        default="first",
        format_func=lambda name: labels[name],
        key="compared at",
        required=True,
        help="The first token stands behind the same kind of text on both sides: like is compared with like. "
        "The answer's own token stands behind the words that each answer began with.",
    )
    return str(place)
