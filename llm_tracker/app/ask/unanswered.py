"""What was being answered when the app stopped: kept, and offered again."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work import asking
from llm_tracker.app.work.admission import is_at_hand
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.keeping.history import cut_off
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say
from llm_tracker.prompts.recipes import RECIPES
from llm_tracker.storage.store.summaries import StoredSession, Unanswered
from llm_tracker.wording.formats import quoted


def offer_unanswered(engine: Engine, workspace: Workspace) -> None:
    """The newest question that an earlier run of the app was answering, with a button that asks it again."""
    with st.container(key="unanswered"):
        found = [] if workspace.answering else cut_off(workspace)
        if found and found[0].unanswered is not None:
            _offer(engine, workspace, found[0], found[0].unanswered)


def _offer(engine: Engine, workspace: Workspace, stored: StoredSession, left: Unanswered) -> None:
    if left.form == "ask":
        paragraph(say("The app stopped while it answered this question: {text}", text=quoted(left.said)))
    else:
        paragraph(say("The app stopped while it answered this correction: {text}", text=quoted(left.said)))

    def again() -> None:
        n_begun = workspace.begun
        if left.form == "correct":
            _correct_again(engine, workspace, left)
        else:
            _ask_again(engine, workspace, left)
        # One that was refused for now stays; one that goes on with its conversation is noted there anew.
        if workspace.begun > n_begun and stored.id != left.of_session:
            workspace.sessions.give_up(stored.id)
        workspace.looked_for_cut_off = float("-inf")

    with st.container(horizontal=True, gap="small"):
        label = say("Ask it again") if left.form == "ask" else say("Correct with it again")
        st.button(label, key=f"again {stored.id}", on_click=again, type="primary")
        st.button(say("Leave it"), key=f"leave {stored.id}", on_click=workspace.sessions.give_up, args=(stored.id,))


def _correct_again(engine: Engine, workspace: Workspace, left: Unanswered) -> None:
    st.session_state["correction"] = left.said
    if left.of_session is None or left.of_turn is None:  # of an answer that was never this visitor's own
        workspace.errors["correct"] = say(
            "The answer that it corrected is not kept here. Choose one, then press Correct."
        )
        return
    asking.correct(engine, workspace, TurnRef(left.of_session, left.of_turn), left.said)


def _ask_again(engine: Engine, workspace: Workspace, left: Unanswered) -> None:
    st.session_state["question"] = left.said
    if left.recipe in RECIPES:
        workspace.recipe = left.recipe
    if is_at_hand(engine, left.model_id):
        workspace.choose(left.model_id)
    asking.ask(engine, workspace, left.said)
