"""What a visitor says: the question and the correction, typed or with one click, and the same to another model."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_tracker.app.ask.suggestions import (
    CORRECTIONS,
    QUESTIONS,
    ReadyCorrection,
    completed,
    correction_label,
    correction_text,
)
from llm_tracker.app.parts.html import failure, paragraph, plain_label
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.work import asking
from llm_tracker.app.work.engine import Engine, should_load
from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import later, say

FIELDS = {"ask": "question", "correct": "correction"}
LABELS = {"ask": later("Question"), "correct": later("Correction")}
BUTTONS = {"ask": later("Ask"), "correct": later("Correct")}


def question_form(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """The question and its button (Enter asks too), and ready questions below."""

    def ask(text: str) -> None:
        if not text.strip():
            _complain(workspace, "ask", say("The question is empty. Type one, then press Ask."))
            return
        st.session_state["correction"] = ""  # it spoke of another answer, and stays among those to compare with
        st.session_state[labelled_key("corrects")] = "before"  # and so did this choice
        asking.ask(engine, workspace, text)

    def ask_ready(text: str) -> None:
        st.session_state["question"] = text
        ask(text)

    _one_line_form("ask", _last_question(workspace, comparison), workspace, ask)
    with st.container(horizontal=True, gap="small", key="question_chips"):
        for ready in QUESTIONS:
            st.button(
                say(ready.label),
                key=f"ask {ready.label}",
                help=ready.question,
                on_click=ask_ready,
                args=(ready.question,),
                disabled=workspace.answering,
            )
    with st.container():
        if said := workspace.errors.get("ask") or _complaint(workspace, "ask"):
            failure(said)


def _complain(workspace: Workspace, form: str, text: str) -> None:
    """Say what a form lacks; in this tab alone, and until something is asked or corrected."""
    for each in BUTTONS:
        workspace.errors.pop(each, None)
    st.session_state["complaint"] = (form, text, workspace.begun)


def _complaint(workspace: Workspace, form: str) -> str:
    """What this form lacked when it was last sent, while nothing has been asked or corrected since."""
    of_form, text, begun = st.session_state.get("complaint", ("", "", 0))
    return text if of_form == form and begun == workspace.begun else ""


def _last_question(workspace: Workspace, comparison: Comparison) -> str:
    """What the field holds in a fresh tab: the question that is being answered, else the one that is shown."""
    coming = workspace.coming
    if coming is not None and coming.form == "ask":
        return coming.said
    return comparison.sessions[0].turns[0].said


def correction_form(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """The correction and its button, and ready corrections below; after a correction also what is to be corrected."""
    _corrected_answer_control(comparison)
    question = comparison.sessions[comparison.refs.index(_corrected_answer(comparison))].turns[0].said

    def correct(text: str) -> None:
        if not text.strip():
            _complain(workspace, "correct", say("The correction is empty. Type one, then press Correct."))
            return
        # As chosen now: that may have come with this very click, before the page was drawn with it.
        asking.correct(engine, workspace, _corrected_answer(comparison), completed(text))

    def correct_ready(ready: ReadyCorrection) -> None:
        text, whole = correction_text(ready, question)
        st.session_state["correction"] = text
        st.session_state["to complete"] = not whole
        st.session_state.pop("complaint", None)
        if whole:
            correct(text)

    _one_line_form("correct", "", workspace, correct)
    with st.container(horizontal=True, gap="small", key="correction_chips"):
        for ready in CORRECTIONS:
            st.button(
                correction_label(ready, question),
                key=f"correct {ready.label}",
                help=correction_text(ready, question)[0],
                on_click=correct_ready,
                args=(ready,),
                disabled=workspace.answering,
            )
    with st.container():
        if st.session_state.pop("to complete", False):
            st.info(say("Type the word at the end of the line above, then press Enter."))
        if said := workspace.errors.get("correct") or _complaint(workspace, "correct"):
            failure(said)


def _corrected_answer_control(comparison: Comparison) -> None:
    """Which answer the next correction speaks to: the one before (once more, in other words), or the one after."""
    labels = {"before": say("Correct “Before”"), "after": say("Correct “After”")}
    st.segmented_control(
        say("Which answer to correct"),
        list(labels),
        default="before",
        format_func=lambda name: labels[name],
        key=labelled_key("corrects"),
        required=True,
        persist_state="session",
        label_visibility="collapsed",
        disabled=len(comparison.refs) < 2,
        help=say(
            "Correcting the answer “Before” in another way starts from the same place, and the earlier correction "
            "stays to compare with. Correcting the answer “After” goes on with the conversation."
        ),
    )


def _corrected_answer(comparison: Comparison) -> TurnRef:
    """The answer that was chosen to be corrected."""
    goes_on = len(comparison.refs) > 1 and st.session_state[labelled_key("corrects")] == "after"
    return comparison.refs[1 if goes_on else 0]


def _one_line_form(kind: str, text: str, workspace: Workspace, submit: Callable[[str], None]) -> None:
    """A text field with its button beside it, which is Stop while its own answer is being written."""
    job, coming = workspace.job, workspace.coming
    running = job if coming is not None and coming.form == kind else None
    key = FIELDS[kind]
    placeholder = (
        say("Correct it: type anything, or pick below")
        if kind == "correct"
        else say("Ask anything that one word can answer")
    )
    with st.form(f"{kind} form", border=False, enter_to_submit=not workspace.answering):
        field, press = st.columns([5, 1], vertical_alignment="bottom")
        field.text_input(
            say(LABELS[kind]),
            text,
            key=key,
            placeholder=placeholder,
            persist_state="session",
            label_visibility="collapsed",
        )
        place = press.container(key=f"press_{kind}")
        if running is not None:
            place.form_submit_button(
                say("Stop"), type="primary", on_click=running.stop, width="stretch", key=f"stop {kind}"
            )
            return
        place.form_submit_button(
            say(BUTTONS[kind]),
            type="primary" if kind == "ask" else "secondary",
            on_click=lambda: submit(st.session_state[key]),
            disabled=workspace.answering,
            width="stretch",
            key=f"{kind} button",
        )


def offer_same_question(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """A button that compares two models, as soon as another one is chosen; it can be pressed once that is ready."""
    number = comparison.refs[0].session
    is_another = workspace.wanted_id not in {session.model.id for session in comparison.sessions}
    if number != EXAMPLE and is_another and (_is_ready(workspace) or _is_coming(engine, workspace)):
        title = plain_label(engine.models.entry(workspace.wanted_id).title)
        is_ready = _is_ready(workspace)
        st.button(
            say("Ask {model} the same, and compare", model=title)
            if is_ready
            else say("Ask {model} the same, and compare (once it is ready)", model=title),
            key="ask same",
            on_click=asking.ask_same,
            args=(engine, workspace, number),
            disabled=not is_ready or workspace.answering,
        )
    elif comparison.of_two_models:
        paragraph(say("A correction goes to the model that gave the answer."), quiet=True)


def _is_ready(workspace: Workspace) -> bool:
    """Whether the chosen model is the one that questions go to now: it was loaded, if only let go since."""
    return workspace.model_id == workspace.wanted_id


def _is_coming(engine: Engine, workspace: Workspace) -> bool:
    """Whether the chosen model is being loaded, or is to be."""
    loading = engine.models.load_job(workspace.wanted_id)
    return should_load(engine, workspace) or (loading is not None and loading.active)
