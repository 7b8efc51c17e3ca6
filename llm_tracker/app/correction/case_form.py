"""The two words that are held against each other, further wordings, and the button that begins."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.views.experiments import case_of
from llm_tracker.app.views.on_demand import begin_or_say, waiting
from llm_tracker.app.work.causes.experiments import MOST_ALIASES, MOST_WORDINGS, begin_experiment, experiment_on
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.parts import USUAL
from llm_tracker.experiments.values.proposals import proposed_words
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.session import Session


def case_form(engine: Engine, workspace: Workspace, turn: TurnRef, session: Session, kept: Experiment | None) -> None:
    """Right word and foil, proposed and editable; aliases and further wordings folded."""
    own, told = proposed_words(session, turn.turn)
    answer, foil = (own, told) if kept is None else (_joined(kept.case.answers), _joined(kept.case.foils))
    keys = {name: f"{name} {turn}" for name in ("answer", "foil", "more")}
    most = engine.limits.text
    with st.form(f"case {turn}", border=False):
        left, right = st.columns(2)
        left.text_input(
            say("Right word"),
            answer,
            _room(answer, WORD_CHARS, most),
            key=keys["answer"],
            help=say(ALIASES, most=MOST_ALIASES),
        )
        right.text_input(say("Other word"), foil, _room(foil, WORD_CHARS, most), key=keys["foil"], help=say(FOIL))
        with st.expander(say("Try further wordings of your own")):
            more = "" if kept is None else "\n".join(kept.case.more)
            st.text_area(
                say("One a line"),
                more,
                key=keys["more"],
                help=say(MORE, most=MOST_WORDINGS),
                max_chars=_room(more, WORDINGS_CHARS, most),
            )
        _submit(engine, workspace, turn, session, keys, kept is None)
    if kept is None and not workspace.is_at_work_on(experiment_on(turn)):
        paragraph(
            say(
                "You say which word is right; both are taken from the conversation. The model then answers under its "
                "controls, word by word and layer by layer: 20 to 30 seconds with the built-in model on two cores."
            ),
            quiet=True,
        )


def _room(text: str, usual: int, most: int) -> int:
    """How many characters a field takes: of what stands in it already, none is cut off."""
    return max(len(text), min(usual, most))


def _submit(
    engine: Engine, workspace: Workspace, turn: TurnRef, session: Session, keys: dict[str, str], is_first: bool
) -> None:
    """The button that begins; it waits where something else is being computed."""
    label = say("Find out what it did") if is_first else say("Find out again")
    st.form_submit_button(
        label if workspace.is_at_work_on(experiment_on(turn)) else f"{label}{waiting(workspace)}",
        key=f"find out {turn}",
        type="primary" if is_first else "secondary",
        on_click=_begin,
        args=(engine, workspace, turn, session, keys),
        disabled=workspace.job is not None,
    )


def _joined(words: tuple[str, ...]) -> str:
    return " | ".join(words)


def _begin(engine: Engine, workspace: Workspace, turn: TurnRef, session: Session, keys: dict[str, str]) -> None:
    try:
        case = case_of(session, turn.turn, *(st.session_state[keys[name]] for name in ("answer", "foil", "more")))
    except InputError as error:
        workspace.errors[experiment_on(turn)] = str(error)
        return
    begin_or_say(workspace, experiment_on(turn), partial(begin_experiment, engine, workspace, turn, case, USUAL))


WORD_CHARS, WORDINGS_CHARS = 500, 2000
"""What the fields take at most; on a host of strangers no more than a question may have."""

ALIASES = later(
    "The word that is right, as you know it; the model is not asked. Other names of it, behind “|”, count as it does: "
    "New York | NYC. At most {most} are taken."
)
FOIL = later("A wrong word of the same kind, such as another capital. The lead is of the right word over this one.")
MORE = later("Each is scored beside the correction, as a further wording of it; at most {most}.")
