"""An experiment as text for a terminal: the margins in a table, and the sentence of every view."""

from __future__ import annotations

from collections.abc import Iterator

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.figures.correction.margins import margins_frame
from llm_tracker.figures.correction.views import VIEWS, experiment_figure, why_missing
from llm_tracker.languages.numbers import number
from llm_tracker.wording.correction.conditions import graded_sentence, verdict_sentence
from llm_tracker.wording.formats import quoted, visible

LABEL_WIDTH = 32


def experiment_text(experiment: Experiment) -> str:
    """All of it."""
    return "\n".join(_lines(experiment))


def _lines(experiment: Experiment) -> Iterator[str]:
    case = experiment.case
    yield f"Question: {visible(case.question)}"
    yield f"Answer:   {visible(case.own_answer)}"
    yield f"Said:     {visible(case.correction)}"
    yield f"Lead of {quoted(case.answer)} over {quoted(case.foil)}, in nats"
    yield from _margins(experiment)
    yield ""
    for view in VIEWS:
        yield from _view(experiment, view)
    for sentence in (verdict_sentence(experiment), graded_sentence(experiment.conditions)):
        if sentence:
            yield sentence
    yield ""
    yield from (
        f"{'ok ' if check.ok else 'OFF'} {check.name}: {check.gap:.1e} (at most {check.bound:g})"
        for check in experiment.checks
    )
    yield f"{experiment.forward_equivalents:.1f} passes over the whole text, {experiment.seconds:.1f} s"


def _margins(experiment: Experiment) -> Iterator[str]:
    """A line a condition: the first wording's margin, and those of the others."""
    frame = margins_frame(experiment)
    if frame.empty:
        return
    for label, rows in frame.groupby("label", sort=False):
        margins = [number(margin, "+.2f") for margin in rows["margin"]]
        said = next(iter(rows["answer_text"]), "")
        others = f"  (other wordings: {', '.join(margins[1:])})" if len(margins) > 1 else ""
        yield f"  {label!s:{LABEL_WIDTH}} {margins[0]:>7}  {visible(str(said))}{others}"


def _view(experiment: Experiment, view: str) -> Iterator[str]:
    """A view's sentence, or why there is none; nothing of what was not asked for."""
    try:
        figure = experiment_figure(experiment, view)
    except InputError:
        if why := why_missing(experiment, view):
            yield f"{view}: {why}"
        return
    if figure.sentence:
        yield f"{figure.title}: {figure.sentence}"
