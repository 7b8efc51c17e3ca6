"""The projector: one thing at a time in large type, answers hidden until they are uncovered, a presenter's keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from llm_tracker.app.parts.example import offer_example
from llm_tracker.app.parts.html import exact, failure, paragraph
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.selection.comparison import Comparison, shown_comparison
from llm_tracker.app.teach.experiment_slides import EXPERIMENTS, experiment_slide
from llm_tracker.app.teach.guessing import guess_form, guesses_shown
from llm_tracker.app.teach.page_top import begin_at_the_top
from llm_tracker.app.teach.slides import ANSWERS, SLIDES, TITLES, answer_slide, changed_slide, picture_slide
from llm_tracker.app.views.missing_work import background_status, start_missing
from llm_tracker.app.work import asking
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.teaching.classroom import Classroom, Guessed
from llm_tracker.app.work.turn_ref import EXAMPLE
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say

HERE = Path(__file__).parent
STYLE, BLANK = HERE / "projector.css", HERE / "blank.css"

Kind = Literal["primary", "secondary"]
"""Of a button: the main one of a screen, or another."""

FORM_OF = {"question": "ask", "correction": "correct"}
"""By slide: the form whose errors it shows."""

MOST_FOLLOWED = 4
"""Words that the views follow, of those that the conversation does."""


@cache
def _presenter_keys() -> Any:
    """PageDown and PageUp, which presenters' remote controls send."""
    return st.components.v2.component(
        "llm_tracker_presenter_keys", js=HERE.joinpath("presenter_keys.js").read_text(encoding="utf-8")
    )


def projector(engine: Engine, workspace: Workspace, leave: Callable[[], None]) -> None:
    """The slide that the class is at, and the keys below it."""
    workspace.collect()
    drawn = workspace.version
    offer_example(workspace)
    st.html(STYLE)
    comparison, classroom = shown_comparison(workspace), workspace.classroom
    if workspace.coming is None:
        turns = [side.turn for side, _ in comparison.answers]
        classroom.follow(workspace.begun, [(turn.prompt.text, turn.text) for turn in turns])
    slides = shown_slides(classroom)
    classroom.slide = min(classroom.slide, _furthest(workspace, comparison))
    name = slides[classroom.slide]
    with st.container(key="slide"):
        if classroom.is_blank:
            st.html(BLANK)
        else:
            st.caption(f"{classroom.slide + 1} / {len(slides)}")
            st.title(say(TITLES[name]), anchor=False)
            _slide(engine, workspace, comparison, name)
    _keys(workspace, comparison, name, leave)
    if workspace.is_newer(drawn):
        st.rerun()


def shown_slides(classroom: Classroom) -> tuple[str, ...]:
    """The slides, in their order: those of the lesson that is given, or the usual ones."""
    return classroom.slides or SLIDES


def _furthest(workspace: Workspace, comparison: Comparison) -> int:
    """The last slide that shows nothing which is still covered, and needs nothing that is not there yet."""
    slides = shown_slides(workspace.classroom)
    return next((at for at, name in enumerate(slides) if _holds_up(workspace, comparison, name)), len(slides) - 1)


def _holds_up(workspace: Workspace, comparison: Comparison, name: str) -> bool:
    """Whether there is no way on from a slide: something is to be asked, or to be uncovered."""
    classroom = workspace.classroom
    if name == "question":
        return bool(classroom.question)
    if name == "correction":
        return comparison.after is None and not _is_coming(workspace, "after")
    answer = ANSWERS.get(name)
    return answer is not None and (answer not in classroom.uncovered or _is_coming(workspace, answer))


def _is_to_be_said(workspace: Workspace, comparison: Comparison, name: str) -> bool:
    """Whether asking, or correcting, is what comes next on this slide."""
    return name in FORM_OF and (
        _holds_up(workspace, comparison, name) or (name == "correction" and bool(workspace.classroom.corrections))
    )


def _failed(workspace: Workspace, answer: Guessed) -> str:
    """Why the answer that was asked for did not come; empty where it did."""
    return workspace.errors.get("ask" if answer == "before" else "correct", "")


def _is_coming(workspace: Workspace, answer: Guessed) -> bool:
    return workspace.coming is not None and workspace.coming.side == answer


def _slide(engine: Engine, workspace: Workspace, comparison: Comparison, name: str) -> None:
    if name == "question":
        _question(engine, workspace, comparison)
    elif name == "correction":
        _correction(engine, workspace, comparison)
    elif name in ANSWERS:
        _answer(workspace, comparison, ANSWERS[name])
    elif name in EXPERIMENTS:
        experiment_slide(engine, workspace, comparison, name)
    else:
        words = list(comparison.watch_words[:MOST_FOLLOWED])
        has_after = "after" in shown_slides(
            workspace.classroom
        )  # else a later answer would be shown without being guessed
        sides = comparison.sides if has_after else [comparison.before]
        start_missing(engine, workspace, comparison, words)
        changed_slide(comparison, words) if name == "changed" else picture_slide(sides, name, words)
        background_status(engine, workspace, comparison)


def _question(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """The question, large, and the field to ask another one."""

    def ask() -> None:
        text = str(st.session_state["projector question"])
        if not text.strip():
            workspace.errors["ask"] = say("The question is empty. Type one, then press Ask.")
            return
        asking.ask(engine, workspace, text)
        _begun(workspace, "before", "after")

    classroom = workspace.classroom
    _said(comparison.sessions[-1].turns[0].said if not classroom.question else classroom.question)
    is_next = _is_to_be_said(workspace, comparison, "question")
    _form("question", say("Question"), say("Ask"), classroom.question, ask, workspace, is_next)


def _correction(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """The correction, large, and the field to correct the first answer with."""

    def correct() -> None:
        text = str(st.session_state["projector correction"])
        if not text.strip():
            workspace.errors["correct"] = say("The correction is empty. Type one, then press Correct.")
            return
        asking.correct(engine, workspace, comparison.refs[0], text)
        _begun(workspace, "after")

    first = comparison.before.turn
    st.html(f'<p class="lt-large">{exact(first.said)} → <b class="lt-before">{exact(first.answer)}</b></p>')
    ready = "".join(workspace.classroom.corrections[:1])
    if said := ready or ("" if comparison.after is None else comparison.after.turn.said):
        _said(said)
    is_next = _is_to_be_said(workspace, comparison, "correction")
    _form("correction", say("Correction"), say("Correct"), ready, correct, workspace, is_next)


def _begun(workspace: Workspace, *answers: Guessed) -> None:
    """On to the slide that hides the answer which is coming, where one is."""
    classroom = workspace.classroom
    if workspace.begun != classroom.begun:
        classroom.begun = workspace.begun
        classroom.cover(*answers)
        classroom.question, classroom.slide = "", shown_slides(classroom).index(answers[0])


def _said(text: str) -> None:
    st.html(f'<p class="lt-big">{exact(text)}</p>')


def _form(
    name: str, label: str, button: str, ready: str, begin: Callable[[], None], workspace: Workspace, is_next: bool
) -> None:
    """A field with its button, the main one where it `is_next`; what could not be begun is said below."""
    with st.form(f"projector {name} form", border=False):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        left.text_input(label, ready, key=f"projector {name}")
        kind: Kind = "primary" if is_next else "secondary"
        right.form_submit_button(button, type=kind, on_click=begin, disabled=workspace.answering, width="stretch")
    if said := workspace.errors.get(FORM_OF[name]):
        failure(said)


def _answer(workspace: Workspace, comparison: Comparison, answer: Guessed) -> None:
    """The answer, once it is uncovered; until then what the class guesses."""
    classroom, job = workspace.classroom, workspace.job
    is_coming = _is_coming(workspace, answer)
    coming = workspace.coming if is_coming else None
    side = comparison.before if answer == "before" else comparison.after
    said = coming.said if coming is not None else "" if side is None else side.turn.said
    st.html(f'<p class="lt-large">{exact(said)}</p>')
    if answer in classroom.uncovered and side is not None and not is_coming:
        answer_slide(comparison, answer)
        guesses_shown(classroom, answer, side.turn.answer)
        return
    if why := _failed(workspace, answer):
        failure(why)
        return
    with st.container():
        if coming is not None and job is not None:
            follow_job(job, partial(paragraph, say("The model is writing its answer. It stays hidden …")))
        else:
            paragraph(say("The answer is there, and hidden. What will it be?"))
    guess_form(classroom, answer)


def _keys(workspace: Workspace, comparison: Comparison, name: str, leave: Callable[[], None]) -> None:
    """Back and on, by the arrows or a presenter's keys; blank the screen; leave."""
    classroom = workspace.classroom
    answer = ANSWERS.get(name)
    is_covered = answer is not None and answer not in classroom.uncovered
    is_there = answer is None or not (_is_coming(workspace, answer) or _failed(workspace, answer))
    # Where a key leads is told by the slide that it is on: pressed twice before the next is there, it leads on once.
    slides, furthest = shown_slides(classroom), _furthest(workspace, comparison)
    earlier = max(0, classroom.slide - 1)
    following = [classroom.slide + 1] if classroom.slide < furthest else []
    if classroom.slide == len(slides) - 1 and classroom.corrections:
        following = [slides.index("correction")]  # a lesson that has more to say to the first answer

    def on() -> None:
        if answer is not None and is_covered:
            classroom.uncover(answer)
        else:
            classroom.slide = following[0]
        classroom.is_blank = False

    def back() -> None:
        classroom.slide, classroom.is_blank = earlier, False

    def blank() -> None:
        classroom.is_blank = not classroom.is_blank

    forward = say("Uncover the answer") if is_covered else say("Next")
    can_go_on = is_there if is_covered else bool(following)
    kind: Kind = "secondary" if _is_to_be_said(workspace, comparison, name) else "primary"
    with st.container(horizontal=True, key="projector_keys"):
        st.button(say("Back"), key="back", on_click=back, disabled=classroom.slide == 0, shortcut="Left")
        st.button(forward, key="on", type=kind, on_click=on, disabled=not can_go_on, shortcut="Right")
        st.button(say("Blank"), key="blank", on_click=blank, shortcut="B")
        st.button(say("Leave"), key="leave", on_click=leave, shortcut="Esc")
    _presenter_keys()(key="presenter keys")
    begin_at_the_top(f"slide {name}")
    if classroom.is_blank:
        return
    if not can_go_on:
        paragraph(_why_not(workspace, name), quiet=True)
    if comparison.refs[-1].session == EXAMPLE and not (workspace.answering or classroom.question):
        paragraph(say("This is the finished example. Ask a question of your own on the first slide."), quiet=True)


def _why_not(workspace: Workspace, name: str) -> str:
    """Why there is no way on from this slide; empty on the last one."""
    if name == "question":
        return say("Ask the question to go on.")
    if name == "correction":
        return say("Correct the answer to go on.")
    if name in ANSWERS and workspace.answering:
        return say("The answer can be uncovered once it is there.")
    return ""
