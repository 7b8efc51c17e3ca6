"""The two words that are held against each other, further wordings, and the button that begins."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work.causes.experiments import EXPERIMENT, begin_experiment, experiment_on
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.parts import USUAL
from llm_tracker.experiments.values.proposals import proposed_words
from llm_tracker.tracing.session import Session


def case_form(engine: Engine, workspace: Workspace, turn: TurnRef, session: Session, kept: Experiment | None) -> None:
    """Right word and foil, proposed and editable; aliases and further wordings folded."""
    own, told = proposed_words(session, turn.turn)
    answer, foil = (own, told) if kept is None else (_joined(kept.case.answers), _joined(kept.case.foils))
    keys = {name: f"{name} {turn}" for name in ("answer", "foil", "more")}
    with st.form(f"case {turn}", border=False):
        left, right = st.columns(2)
        left.text_input("Right word", answer, key=keys["answer"], help=ALIASES)
        right.text_input("Other word", foil, key=keys["foil"], help=FOIL)
        with st.expander("Try further wordings of your own"):
            more = "" if kept is None else "\n".join(kept.case.more)
            st.text_area("One a line", more, key=keys["more"], help=MORE, max_chars=2000)
        st.form_submit_button(
            "Find out what it did" if kept is None else "Find out again",
            type="primary" if kept is None else "secondary",
            on_click=_begin,
            args=(engine, workspace, turn, session, keys),
            disabled=workspace.is_at_work_on(experiment_on(turn)) or workspace.answering,
        )
    if kept is None and not workspace.is_at_work_on(experiment_on(turn)):
        paragraph(
            "You say which word is right; both are taken from the conversation. The model then answers under its "
            "controls, word by word and layer by layer: some fifteen seconds with the built-in model.",
            quiet=True,
        )


def _joined(words: tuple[str, ...]) -> str:
    return " | ".join(words)


def _begin(engine: Engine, workspace: Workspace, turn: TurnRef, session: Session, keys: dict[str, str]) -> None:
    answer, *answer_aliases = _words(st.session_state[keys["answer"]])
    foil, *foil_aliases = _words(st.session_state[keys["foil"]])
    more = tuple(line.strip() for line in st.session_state[keys["more"]].splitlines() if line.strip())
    before = session.turns[turn.turn - 1]
    try:
        case = Case(
            session.turns[turn.turn - 1].said,
            answer,
            foil,
            session.turns[turn.turn].said.strip(),
            before.answer,
            tuple(answer_aliases),
            tuple(foil_aliases),
            more[:MOST_WORDINGS],
        )
    except InputError as error:
        workspace.errors[EXPERIMENT] = str(error)
        return
    begin_experiment(engine, workspace, turn, case, USUAL)


def _words(text: str) -> list[str]:
    """A word and its aliases; one empty word of an empty text."""
    return [word for each in text.split("|") if (word := each.strip())] or [""]


MOST_WORDINGS = 20

ALIASES = (
    "The word that is right, as you know it; the model is not asked. Other names of it, behind “|”, count as it does: "
    "New York | NYC."
)
FOIL = "A wrong word of the same kind, such as another capital. The lead is of the right word over this one."
MORE = "Each is scored beside the correction, as a further wording of it."
