"""What the views of the Correction page share: the experiment that is shown, and how one of its views is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.pictures import Pick, Picture, figure_picture, remembered
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.views.experiments import say_why_not
from llm_tracker.app.views.on_demand import work_button
from llm_tracker.app.work.causes.experiments import begin_experiment, experiment_on
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.export.copy_experiment import experiment_command, experiment_python
from llm_tracker.figures.correction.views import VIEWS
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import Span
from llm_tracker.tracing.session import Session


@dataclass(frozen=True, eq=False)
class Shown:
    """An experiment on one correction, and what it is of."""

    engine: Engine
    workspace: Workspace
    comparison: Comparison
    turn: TurnRef
    session: Session
    found: Experiment
    is_running: bool
    """Whether more of it is coming."""

    def figure(self, view: str) -> Figure | None:
        """One view's figure; None where its part has not come, cannot be had, or has nothing to draw."""
        return VIEWS[view][1](self.found)

    def more_button(self, label: str, key: str, part: str, window: Span | None = None) -> None:
        """Runs a part more, or anew with words hidden in other layers, and adds it to what was found."""
        begin = partial(
            begin_experiment,
            self.engine,
            self.workspace,
            self.turn,
            self.found.case,
            (part,),
            begun=self.found,
            window=window,
        )
        work_button(self.workspace, experiment_on(self.turn), begin, label, key)

    def draw(
        self,
        view: str,
        key: Any = None,
        make: Callable[[], Figure | None] | None = None,
        pick: Pick | None = None,
    ) -> Picture | None:
        """Draw a view with its sentence and what can be taken along; None where it is not there.

        `make` makes another figure of the same part than the view's own, and `key` tells it from others. `pick` is
        called with the fields of what was clicked.
        """
        with st.container():  # one place for the chart and for what is said while it is not there
            return self._draw(view, key, make, pick)

    def _draw(self, view: str, key: Any, make: Callable[[], Figure | None] | None, pick: Pick | None) -> Picture | None:
        part = getattr(self.found, VIEWS[view][0])
        drawn = remembered(
            f"experiment {view} {key}",
            (part, self.found.case),
            lambda: None if (figure := (make or partial(self.figure, view))()) is None else figure_picture(figure),
        )
        if drawn is None or drawn.figure is None:
            say_why_not(self.found, view, self.is_running)
            return None
        drawn.draw(drawn.figure.title, f"chart {view}", pick)
        if drawn.sentence:
            paragraph(drawn.sentence)
        own = (self.session, self.found, view, key)
        copy = (experiment_python(*own), experiment_command(*own))
        export_menu(f"{view}{'' if key is None else f'-{key}'}", drawn.figure, copy)
        return drawn


def how_to_read(view: str, text: str) -> None:
    """The folded explanation below a view."""
    with st.expander(say("How to read this"), key=f"how to read {view}"):
        st.markdown(say(text))
