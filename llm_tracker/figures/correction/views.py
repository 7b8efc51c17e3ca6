"""Every view of an experiment by its name, for `lt.experiment_figure` and `llm-tracker chart --view correction`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.findings import KnockOuts, Unavailable
from llm_tracker.figures.correction.causes import (
    attribution_figure,
    carried_figure,
    head_words_figure,
    heads_figure,
    hidden_figure,
    looked_figure,
    segments_figure,
)
from llm_tracker.figures.correction.margins import change_figure, flips_figure, margins_figure, shift_figure
from llm_tracker.figures.correction.paths import grid_figure, lens_figure, path_figure
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import later, say

VIEWS: dict[str, tuple[str, Callable[..., Figure | None]]] = {
    "hand_over": ("hand_over", lambda found: _of(found.hand_over, path_figure)),
    "verdict": ("verdict", lambda found: _of(found.verdict, lambda path: path_figure(path, "verdict"))),
    "grid": ("hand_over", lambda found: _of(found.hand_over, grid_figure)),
    "shift": ("conditions", shift_figure),
    "margins": ("conditions", lambda found: margins_figure(found) if found.conditions else None),
    "flips": ("conditions", flips_figure),
    "change": ("conditions", lambda found: change_figure(found) if found.conditions else None),
    "lens_margins": ("lens", lens_figure),
    "hidden": ("knock_outs", lambda found, starts=None: _hidden(found, partial(hidden_figure, starts=starts))),
    "hidden_segments": ("knock_outs", lambda found: _hidden(found, segments_figure)),
    "carried": (
        "frozen_route",
        lambda found, starts=None: _of(found.frozen_route, partial(carried_figure, starts=starts)),
    ),
    "looked_at": (
        "knock_outs",
        lambda found, starts=None: _of(found.knock_outs, partial(looked_figure, starts=starts)),
    ),
    "head_patches": ("heads", lambda found, most=None: _of(found.heads, partial(heads_figure, most=most))),
    "attribution": ("attributions", attribution_figure),
    "head_words": ("attributions", head_words_figure),
}
"""By name: the experiment's field that it draws, and how."""

WORD_BARS = ("hidden", "carried", "looked_at")
"""Views with a bar a word: with `starts`, of the words that begin at these positions. Of heads `most` are drawn."""


NOTHING_OF = {
    "head_words": later("This model's heads cannot be told apart, so what each of them brings cannot be said.")
}
"""By view: why its part is there and it is not."""


def why_missing(experiment: Experiment, view: str) -> str:
    """Why a view cannot be had of this model; "" of one that can, or whose part was not run."""
    part = getattr(experiment, VIEWS[view][0])
    if isinstance(part, Unavailable):
        return part.why_not
    return say(NOTHING_OF[view]) if part and view in NOTHING_OF else ""


def _of(part: object, draw: Callable[..., Figure | None]) -> Figure | None:
    return None if part is None or isinstance(part, Unavailable) else draw(part)


def _hidden(found: Experiment, draw: Callable[[KnockOuts, int], Figure]) -> Figure | None:
    """What is hidden in some layers reads otherwise than what is hidden in all: the model knows how many it has."""
    return _of(found.knock_outs, lambda part: draw(part, found.model.n_layers))


def experiment_figure(experiment: Experiment, view: str = "hand_over", name: str | None = None) -> Figure:
    """One view of an experiment, as the Correction page draws it: chart, numbers and sentence.

    Views: hand_over, verdict, grid, shift, margins, flips, change, lens_margins, hidden, hidden_segments, carried,
    looked_at, head_patches, attribution, head_words. `name` tells which attribution is drawn: after (unless given),
    asked_again, before, or difference (after minus asked_again). Raises InputError for an unknown one, one that was
    not run, and one that cannot be had of this model, with the reason.
    """
    names = ("after", "asked_again", "before", "difference")
    if view not in VIEWS:
        raise InputError(f"There is no view “{view}” of an experiment. Choose one of: {', '.join(VIEWS)}.")
    if name is not None and (view != "attribution" or name not in names):
        raise InputError(f"There is no “{name}” of “{view}”. A name goes with attribution: {', '.join(names)}.")
    field, draw = VIEWS[view]
    part = getattr(experiment, field)
    if isinstance(part, Unavailable):
        raise InputError(part.why_not)
    figure = draw(experiment) if name is None else attribution_figure(experiment, name)
    if figure is None and (why := why_missing(experiment, view)):
        raise InputError(why)
    if figure is None:
        raise InputError(f"This experiment was run without what “{view}” draws. Run it with that part.")
    return figure


def experiment_figures(experiment: Experiment) -> list[Figure]:
    """All views that this experiment has the parts for."""
    drawn = (
        draw(experiment)
        for field, draw in VIEWS.values()
        if not isinstance(getattr(experiment, field), Unavailable) and getattr(experiment, field)
    )
    return [figure for figure in drawn if figure is not None]
