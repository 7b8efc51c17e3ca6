"""What a view drew last, so that a rerun that changes nothing about it computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import pandas as pd
import streamlit as st

from llm_tracker.app.parts.chart_data import make_charts_fast
from llm_tracker.charts.heat import PICK
from llm_tracker.export.theme import LOOKS, Scheme
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.spoken import language

T = TypeVar("T")

make_charts_fast()

Pick = Callable[[Mapping[str, Any]], object]
"""Is given the fields of the cell that was clicked."""


def remembered(view: str, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` returned when this tab last drew this view with this key; made anew for another key or language.

    Turns are told apart by identity, and the entry holds them: none can be mistaken for a later one.
    """
    entry = st.session_state.get(f"remembered {view}")
    key = (language(), key)
    if entry is None or entry[0] != key:
        entry = (key, make())
        st.session_state[f"remembered {view}"] = entry
    return cast(T, entry[1])


def scheme() -> Scheme:
    """Whether the page is light or dark now."""
    return "dark" if st.context.theme.type == "dark" else "light"


@dataclass(frozen=True)
class Picture:
    """A chart with its sentence, ready to be drawn."""

    spec: dict[str, Any]
    sentence: str
    figure: Figure | None = None
    """What it was made of, where it is more than a chart."""

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers behind it."""
        return pd.DataFrame() if self.figure is None else self.figure.frame

    def draw(self, what: str, key: str | None = None, pick: Pick | None = None) -> None:
        """The chart; `what` it shows and its sentence are its text alternative.

        With a `key` and `pick`, a click on a cell calls `pick` with the cell's fields.
        """
        said = f"{what}. {self.sentence}"
        spec = {**self.spec, "config": {**self.spec.get("config", {}), "text": {"color": LOOKS[scheme()].text}}}
        if key is None or pick is None:
            st.vega_lite_chart(spec=spec, alt=said)
            return

        def clicked() -> None:
            points = st.session_state[key].selection.get(PICK) or []
            if points:
                pick(points[0])

        st.vega_lite_chart(spec=spec, alt=said, key=key, on_select=clicked, selection_mode=PICK)


def picture(chart: Any, sentence: str) -> Picture:
    """A chart of Altair as a picture.

    It is not held against Vega-Lite's schema here: that takes as long as making it, and tests do it for every chart.
    """
    return Picture(chart.to_dict(validate=False), sentence)


def figure_picture(figure: Figure, turn: str | None = None) -> Picture:
    """A figure as a picture; its numbers are said to be of one `turn`, where that is given."""
    figure = figure if turn is None else figure.of_turn(turn)
    return Picture(figure.chart.to_dict(validate=False), figure.sentence, figure)
