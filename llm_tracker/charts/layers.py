"""What each layer's read-out says about the watch words, all turns in one chart."""

from __future__ import annotations

from typing import Literal

import altair as alt
import pandas as pd

from llm_tracker.analysis.reading import shown
from llm_tracker.charts.palette import TURN_COLOURS

Metric = Literal["prob", "rank"]


def lead_chart(leads: dict[str, list[float]], word: str, over: str) -> alt.LayerChart | alt.FacetChart:
    """The lead of one watch word over another by layer, a line a turn; above zero the first is ahead.

    `leads` maps "before" (and "after") to logit differences of layers 1..n_layers.
    """
    frame = pd.concat(
        [pd.DataFrame({"turn": turn, "layer": range(1, len(lead) + 1), "lead": lead}) for turn, lead in leads.items()],
        ignore_index=True,
    )
    value = alt.Y("lead:Q", title=f"logit of {shown(word)} − logit of {shown(over)}")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color="#9aa3ad", strokeWidth=1).encode(y="zero:Q")
    return alt.layer(zero, *_lines(frame, value, "lead:Q")).properties(height=320, width="container")


def word_chart(frame: pd.DataFrame, metric: Metric) -> alt.LayerChart | alt.FacetChart:
    """Probability or rank of the watch words by layer: a colour a turn, a dash a word. Frame: `watch_frame`."""
    frame = frame.assign(word=[shown(word) for word in frame["word"]])
    if metric == "prob":
        value = alt.Y("prob:Q", title="probability", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    else:
        value = alt.Y("rank:Q", title="rank (1 = best)", scale=alt.Scale(type="log", reverse=True))
    return alt.layer(*_lines(frame, value, f"{metric}:Q", by_word=True)).properties(height=320, width="container")


def _lines(frame: pd.DataFrame, value: alt.Y, field: str, by_word: bool = False) -> list[alt.Chart]:
    """Lines with points to hover over; direct labels would collide where lines end together."""
    turns = [turn for turn in TURN_COLOURS if turn in set(frame["turn"])]
    n_layers = int(frame["layer"].max())
    colour = alt.Color(
        "turn:N",
        title=None,
        scale=alt.Scale(domain=turns, range=[TURN_COLOURS[turn] for turn in turns]),
        legend=alt.Legend(orient="top"),
    )
    layer = alt.X(
        "layer:Q",
        title="layer (depth, not time)",
        scale=alt.Scale(domain=[1, n_layers], nice=False),
        axis=alt.Axis(tickMinStep=1, tickCount=min(n_layers, 10), grid=False),
    )
    tooltip = [alt.Tooltip("turn:N"), alt.Tooltip("layer:Q"), alt.Tooltip(field, format=".4~g")]
    base = alt.Chart(frame).encode(x=layer, y=value, color=colour)
    if by_word:
        tooltip.insert(1, alt.Tooltip("word:N"))
        base = base.encode(strokeDash=alt.StrokeDash("word:N", title=None, legend=alt.Legend(orient="top")))
    return [
        base.mark_line(strokeWidth=2.5, interpolate="linear"),
        base.mark_point(size=60, filled=True, opacity=0).encode(tooltip=tooltip),
    ]
