"""The projector's slides of an experiment: run on the class's own correction, each part shown once it is there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.teach.slides import draw_large
from llm_tracker.app.views.experiments import (
    NOT_CORRECTED,
    case_of,
    corrected_turn,
    experiment_status,
    kept_experiment,
    say_why_not,
)
from llm_tracker.app.views.missing_work import background_status
from llm_tracker.app.views.on_demand import work_button
from llm_tracker.app.work.causes.experiments import begin_experiment, experiment_on
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.experiment import Experiment, available
from llm_tracker.experiments.values.parts import PartName
from llm_tracker.experiments.values.proposals import proposed_words
from llm_tracker.figures.correction.causes import most_hidden
from llm_tracker.figures.correction.views import VIEWS, WORD_BARS
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session
from llm_tracker.wording.formats import quoted

EXPERIMENTS: dict[str, PartName] = {
    "hand_over": "hand_over",
    "head_patches": "heads",
    "hidden": "knock_out",
    "carried": "frozen_route",
    "looked_at": "knock_out",
}
"""The views of an experiment that have a slide, and the part that each shows."""

CORRECTION = "pages/4_Correction.py"

MOST_WORDS, MOST_HEADS = 8, 3
"""So many can be read from the last row."""


def experiment_slide(engine: Engine, workspace: Workspace, comparison: Comparison, view: str) -> None:
    """One view of the experiment on the correction in hand; until it is run, the button that runs it."""
    corrected = corrected_turn(comparison)
    if corrected is None:
        paragraph(say(NOT_CORRECTED), also="lt-large")
        return
    turn, session = corrected
    found, is_running = experiment_status(workspace, turn, kept_experiment(session, turn))
    background_status(engine, workspace, comparison, experiment_on(turn))
    part = None if found is None else getattr(found, VIEWS[view][0])
    if not (part or is_running):  # nothing of it, or it was stopped before
        shown = [name for name in workspace.classroom.slides if name in EXPERIMENTS]
        missing = {EXPERIMENTS[name] for name in shown if not getattr(found, VIEWS[name][0], None)}
        _offer(engine, workspace, turn, session, found, missing)
    elif found is not None and not draw_large(
        view, (part, found.knock_outs, found.case), partial(slide_figure, found, view)
    ):
        say_why_not(found, view, is_running)


def slide_figure(found: Experiment, view: str) -> Figure | None:
    """A view with no more bars than can be read from far, and all its numbers; None where there is none.

    The views with a bar a word draw the same words: those whose hiding changed the lead most.
    """
    draw, hidden = VIEWS[view][1], available(found.knock_outs)
    if view == "head_patches":
        figure = draw(found, most=MOST_HEADS)
        said = say("Drawn are the {n} longest bars, and the {n} longest by chance.", n=MOST_HEADS)
        is_cut = figure is not None and len(figure.frame) > 2 * MOST_HEADS
    elif view in WORD_BARS and hidden is not None:
        figure = draw(found, starts=most_hidden(hidden, MOST_WORDS))
        said = say("Drawn are the {n} words whose hiding changed the lead most.", n=MOST_WORDS)
        is_cut = sum(not word.is_segment for word in hidden.words) > MOST_WORDS
    else:
        return draw(found)
    return replace(figure, sentence=f"{figure.sentence} {said}") if figure is not None and is_cut else figure


def _offer(
    engine: Engine,
    workspace: Workspace,
    turn: TurnRef,
    session: Session,
    begun: Experiment | None,
    parts: Collection[PartName],
) -> None:
    """What is found out, of which two words, and the button that begins these parts, added to what was `begun`."""
    try:
        case = begun.case if begun is not None else case_of(session, turn.turn, *proposed_words(session, turn.turn))
    except InputError:
        paragraph(
            say(
                "This conversation does not tell which two words to hold against each other: name them on the "
                "Correction page, and find out there what the correction did."
            ),
            also="lt-large",
        )
        st.page_link(CORRECTION, label=say("Correction"), query_params={"s": workspace.key})
        return
    paragraph(
        say(
            "What did the correction do to the lead of {answer} over {foil}?",
            answer=quoted(case.answer),
            foil=quoted(case.foil),
        ),
        also="lt-large",
    )
    begin = partial(begin_experiment, engine, workspace, turn, case, parts, begun=begun)
    work_button(workspace, experiment_on(turn), begin, say("Find out what it did"), f"find out {turn}")
