"""Bars around zero: what each of several things has more after, both signs on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed
from llm_tracker.charts.palette import AFTER, AGAIN, BEFORE, QUIET
from llm_tracker.languages.texts import say
from llm_tracker.wording.labels import TURN_LABELS

ROW_PIXELS = 26
AXIS_PIXELS = 84


def difference_bars(frame: pd.DataFrame, title: str, tooltip: Sequence[alt.Tooltip], number: str = "+.0%") -> Any:
    """A bar for each row, in their order, to the right where the one after has more: columns label, value and again.

    Where `again` is known, a tick across the bar stands where merely asking again leads. The names stand left of all
    bars: marks, not an axis, whose texts Vega would read as code.
    """
    drawn = frame.assign(place=range(len(frame)))
    most = float(drawn[["value", "again"]].abs().max().max()) if len(drawn) else 0.0
    scale = alt.Scale(domain=[-(most or 1.0), most or 1.0])
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(format=number, tickCount=5, titleLimit=400))
    y = alt.Y("place:O", title=None, axis=None)
    colour = alt.condition(alt.datum.value > 0, alt.value(AFTER), alt.value(BEFORE))
    bars = alt.Chart(drawn).mark_bar(height=13).encode(x=x, y=y, color=colour, tooltip=list(tooltip))
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=QUIET).encode(x=alt.X("zero:Q", scale=scale))
    names = alt.Chart(drawn).mark_text(align="right", dx=-6, fontSize=12, limit=150)
    names = names.encode(x=alt.value(0), y=y, text=alt.Text("label:N"))
    layers = [bars, zero, names, *_ticks(drawn[drawn["again"].notna()], scale, y, tooltip)]
    return framed(alt.layer(*layers), ROW_PIXELS * len(drawn) + AXIS_PIXELS)


def _ticks(known: pd.DataFrame, scale: alt.Scale, y: alt.Y, tooltip: Sequence[alt.Tooltip]) -> list[alt.Chart]:
    """Where merely asking again leads, and what the ticks are."""
    if known.empty:
        return []
    ticks = alt.Chart(known).mark_tick(color=AGAIN, thickness=2.5, size=19)
    legend = alt.Chart(pd.DataFrame({"name": [f"| {say(TURN_LABELS['again'])}"]}))
    text = legend.mark_text(align="right", baseline="bottom", fontSize=11, color=AGAIN, dy=-3)
    return [
        ticks.encode(x=alt.X("again:Q", scale=scale), y=y, tooltip=list(tooltip)),
        text.encode(x=alt.value(alt.ExprRef("width")), y=alt.value(0), text=alt.Text("name:N")),
    ]
