"""Bars around zero: what each of several things has more after, both signs on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed
from llm_tracker.charts.palette import AFTER, BEFORE, QUIET

ROW_PIXELS = 24
AXIS_PIXELS = 60


def difference_bars(frame: pd.DataFrame, title: str, tooltip: Sequence[alt.Tooltip], number: str = "+.0%") -> Any:
    """A bar for each row, in their order, to the right where the one after has more: columns label and value.

    The names stand left of all bars: marks, not an axis, whose texts Vega would read as code.
    """
    drawn = frame.assign(place=range(len(frame)))
    most = float(drawn["value"].abs().max()) if len(drawn) else 0.0
    scale = alt.Scale(domain=[-(most or 1.0), most or 1.0])
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(format=number, tickCount=5, titleLimit=400))
    y = alt.Y("place:O", title=None, axis=None)
    colour = alt.condition(alt.datum.value > 0, alt.value(AFTER), alt.value(BEFORE))
    bars = alt.Chart(drawn).mark_bar(height=13).encode(x=x, y=y, color=colour, tooltip=list(tooltip))
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=QUIET).encode(x=alt.X("zero:Q", scale=scale))
    names = alt.Chart(drawn).mark_text(align="right", dx=-6, fontSize=12, limit=150)
    names = names.encode(x=alt.value(0), y=y, text="label:N")
    return framed(alt.layer(bars, zero, names), ROW_PIXELS * len(drawn) + AXIS_PIXELS)
