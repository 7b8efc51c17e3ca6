"""The projector's slides of an experiment: run on the class's own correction, each part shown once it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.teach.slides import draw_large
from llm_tracker.app.views.experiments import case_of, corrected_turn, experiment_status, kept_experiment, say_why_not
from llm_tracker.app.views.missing_work import background_status
from llm_tracker.app.views.on_demand import work_button
from llm_tracker.app.work.causes.experiments import begin_experiment, experiment_on
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.parts import USUAL
from llm_tracker.experiments.values.proposals import proposed_words
from llm_tracker.figures.correction.views import VIEWS
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session
from llm_tracker.wording.formats import quoted

EXPERIMENTS = ("hand_over", "head_patches", "hidden", "carried", "looked_at")
"""The views of an experiment that have a slide."""

MOST_ROWS = 8
"""Of a chart, so that each can be read from the last row."""

SIZES: dict[str, Callable[[Any], float]] = {
    "hidden": lambda word: abs(word.delta),
    "carried": lambda word: abs(word.contribution),
    "looked_at": lambda word: word.share,
}
"""By view that has a bar a word: how large a word's is."""


def experiment_slide(engine: Engine, workspace: Workspace, comparison: Comparison, view: str) -> None:
    """One view of the experiment on the correction in hand; until it is run, the button that runs it."""
    corrected = corrected_turn(comparison)
    if corrected is None:
        return
    turn, session = corrected
    kept = kept_experiment(session, turn)
    if kept is None and not workspace.is_at_work_on(experiment_on(turn)):
        _offer(engine, workspace, turn, session)
    found, is_running = experiment_status(workspace, turn, kept)
    background_status(engine, workspace, comparison, experiment_on(turn))
    if found is None:
        return
    if not draw_large(view, (getattr(found, VIEWS[view][0]), found.case), partial(slide_figure, found, view)):
        say_why_not(found, view, is_running)


def slide_figure(found: Experiment, view: str) -> Figure | None:
    """A view with its sentence, its chart with no more rows than can be read from far; None where there is none."""
    part, draw = VIEWS[view]
    whole = draw(found)
    fewer = None if whole is None else _largest(getattr(found, part), view)
    if whole is None or fewer is None:
        return whole
    few = draw(replace(found, **{part: fewer}))
    said = say("Drawn are the {n} largest.", n=MOST_ROWS)
    if view == "head_patches":
        said = say("Drawn are the {n} that bring most, and {n} of those by chance.", n=MOST_ROWS // 2)
    return whole if few is None else replace(whole, chart=few.chart, sentence=f"{whole.sentence} {said}")


def _largest(part: Any, view: str) -> Any | None:
    """A part of an experiment with the rows that a slide has room for; None where it has no more than those."""
    if view == "head_patches":
        half = MOST_ROWS // 2  # beside as many by chance
        return replace(part, shares=part.shares[:half], random=part.random[:half])
    words = [word for word in part.words if not getattr(word, "is_segment", False)] if view in SIZES else []
    if len(words) <= MOST_ROWS:
        return None
    largest = sorted(range(len(words)), key=lambda at: -SIZES[view](words[at]))[:MOST_ROWS]
    return replace(part, words=tuple(words[at] for at in sorted(largest)))


def _offer(engine: Engine, workspace: Workspace, turn: TurnRef, session: Session) -> None:
    """What is found out, of which two words, and the button that begins."""
    try:
        case = case_of(session, turn.turn, *proposed_words(session, turn.turn))
    except InputError:
        paragraph(
            say(
                "Which two words to hold against each other cannot be told from this conversation: say it on the "
                "Correction page, and find out there what the correction did."
            ),
            also="lt-large",
        )
        return
    paragraph(
        say(
            "What did the correction do to the lead of {answer} over {foil}? Where does it travel?",
            answer=quoted(case.answer),
            foil=quoted(case.foil),
        ),
        also="lt-large",
    )
    begin = partial(begin_experiment, engine, workspace, turn, case, USUAL)
    work_button(workspace, experiment_on(turn), begin, say("Find out what it did"), f"find out {turn}")
