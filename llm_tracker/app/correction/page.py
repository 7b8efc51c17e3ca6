"""The Correction page: what the correction did, against its controls, and where in the model."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.correction.case_form import case_form
from llm_tracker.app.correction.causes import words_view
from llm_tracker.app.correction.heads import heads_view, layers_view
from llm_tracker.app.correction.margins import margins_view
from llm_tracker.app.correction.paths import lens_view, paths_view
from llm_tracker.app.correction.shown import Shown
from llm_tracker.app.correction.try_it import try_it_view
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.views.experiments import NOT_CORRECTED, corrected_turn, experiment_status, kept_experiment
from llm_tracker.app.views.explored import explored
from llm_tracker.app.views.missing_work import background_status
from llm_tracker.app.work.causes.experiments import experiment_on
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import quoted

LEAD = later(
    "The lead, on all of this page, is how far {answer} is ahead of {foil}: the logarithm of how many times as likely "
    "it is, in nats. 0: as likely; +1: 2.7 times as likely; below 0: {foil} is ahead. It is no probability."
)


def correction_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    explored(
        workspace,
        say("Correction"),
        say("What did the correction do, compared with merely asking again, and where in the model?"),
        partial(_page, engine, workspace),
    )


def _page(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    corrected = corrected_turn(comparison)
    with st.container():
        background_status(engine, workspace, comparison, None if corrected is None else experiment_on(corrected[0]))
    if corrected is None:
        paragraph(say(NOT_CORRECTED))
        return
    turn, session = corrected
    kept = kept_experiment(session, turn)
    paragraph(say("The correction: {said}", said=quoted(session.turns[turn.turn].said)))
    with st.container(key="correction form"):
        case_form(engine, workspace, turn, session, kept)
    found, is_running = experiment_status(workspace, turn, kept)
    if found is not None:
        paragraph(say(LEAD, answer=quoted(found.case.answer), foil=quoted(found.case.foil)), quiet=True)
        shown = Shown(engine, workspace, comparison, turn, session, found, is_running)
        for view in (paths_view, margins_view, lens_view, words_view, heads_view, layers_view):
            with st.container():  # a place of its own: what comes later moves no chart, which would be made anew
                view(shown)
    try_it_view(engine, workspace, comparison, turn, session)
