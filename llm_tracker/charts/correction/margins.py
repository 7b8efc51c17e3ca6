"""Margins under the conditions: the shift in two steps, every wording, and what would flip."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed
from llm_tracker.charts.correction.rows import BELOW, ROW_PIXELS, row_names
from llm_tracker.charts.palette import AFTER, AGAIN, BEFORE, QUIET
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say

AXIS_PIXELS = 60
HEIGHT = 300
VALUE_PIXELS = 48
"""Room for the number right of the longest bar."""


def _zero(scale: alt.Scale) -> Any:
    return alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(x=alt.X("zero:Q", scale=scale))


def shift_chart(frame: pd.DataFrame, title: str) -> Any:
    """A waterfall from the first answer's margin to the corrected one: columns label, start, end, kind, value."""
    drawn = frame.assign(place=range(len(frame)))
    ends = pd.concat([frame["start"], frame["end"]])
    scale = alt.Scale(domain=[min(0.0, float(ends.min())), max(0.0, float(ends.max()))], nice=True)
    x = alt.X("start:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6))
    y = alt.Y("place:O", title=None, axis=None)
    kinds = ["first answer", "asked again", "correction", "after"]
    colour = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=[BEFORE, AGAIN, AFTER, AFTER]))
    tooltip = [alt.Tooltip("label:N", title=say("step")), alt.Tooltip("value:Q", title=say("nats"), format="+.2f")]
    bars = (
        alt.Chart(drawn).mark_bar(height=14, yOffset=BELOW).encode(x=x, x2="end:Q", y=y, color=colour, tooltip=tooltip)
    )
    values = alt.Chart(drawn).mark_text(align="left", dx=6, dy=BELOW, fontSize=11, color=QUIET)
    values = values.encode(x=alt.X("right:Q", scale=scale), y=y, text=alt.Text("value:Q", format="+.1f"))
    layers = alt.layer(bars, _zero(scale), row_names(drawn, y), values)
    padding = {"left": 5, "top": 4, "right": VALUE_PIXELS, "bottom": 4}
    return framed(layers, ROW_PIXELS * len(drawn) + AXIS_PIXELS, padding=padding)


def margins_chart(frame: pd.DataFrame, title: str) -> Any:
    """A row a condition: its first wording a dot, its others ticks, a line over all of them.

    Columns: label, text, margin, first, score_answer, score_foil. Rows come in the order of the frame.
    """
    order = {label: at for at, label in enumerate(dict.fromkeys(frame["label"]))}
    drawn = frame.assign(place=frame["label"].map(order))
    spread = drawn.groupby(["place", "label"], as_index=False)["margin"].agg(["min", "max"]).reset_index()
    scale = alt.Scale(nice=True)
    x = alt.X("margin:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6, orient="bottom"))
    y = alt.Y("place:O", title=None, axis=None)
    colour = alt.condition(alt.datum.margin < 0, alt.value(AFTER), alt.value(BEFORE))
    tooltip = [
        alt.Tooltip("label:N", title=say("condition")),
        alt.Tooltip("text:N", title=say("said")),
        alt.Tooltip("margin:Q", title=say("lead, nats"), format="+.2f"),
        alt.Tooltip("score_answer:Q", title=say("log p, right word"), format=".2f"),
        alt.Tooltip("score_foil:Q", title=say("log p, other word"), format=".2f"),
    ]
    lines = alt.Chart(spread).mark_rule(color=QUIET, strokeWidth=1.4, yOffset=BELOW)
    lines = lines.encode(x=alt.X("min:Q", scale=scale), x2="max:Q", y=y)
    others = alt.Chart(drawn[~drawn["first"]]).mark_tick(thickness=2, size=12, yOffset=BELOW)
    first = alt.Chart(drawn[drawn["first"]]).mark_point(size=70, filled=True, opacity=1, yOffset=BELOW)
    layers = [
        _zero(scale),
        lines,
        *(each.encode(x=x, y=y, color=colour, tooltip=tooltip) for each in (others, first)),
        row_names(drawn.drop_duplicates("place"), y),
    ]
    return framed(alt.layer(*layers), ROW_PIXELS * len(order) + AXIS_PIXELS)


def flips_chart(frame: pd.DataFrame, text_title: str = later("said")) -> Any:
    """Truth margin against sensitivity, a point a wording; beyond the diagonal the forced choice flips.

    Columns: label, text, truth_margin, sensitivity, flipped (De Marez et al., 2026). `text_title` is what a text is.
    """
    values = pd.concat([frame["truth_margin"], frame["sensitivity"]])
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.05 * ((high - low) or 1.0)
    domain = [low - room, high + room]
    x = alt.X(
        "sensitivity:Q",
        title=say("sensitivity (nats)"),
        scale=alt.Scale(domain=domain, nice=False),
        axis=alt.Axis(tickCount=8),
    )
    y = alt.Y("truth_margin:Q", title=say("truth margin (nats)"), scale=alt.Scale(domain=domain, nice=False))
    outcomes = [_outcome(*each) for each in zip(frame["truth_margin"], frame["flipped"], strict=True)]
    looks = {name: how for name, how in LOOKS_OF_OUTCOMES.items() if name in outcomes}
    named, colours, shapes = [say(name) for name in looks], *map(list, zip(*looks.values(), strict=True))
    colour = alt.Color(
        "outcome:N",
        scale=alt.Scale(domain=named, range=colours),
        legend=alt.Legend(orient="top", title=None, symbolType="circle"),
    )
    shape = alt.Shape("outcome:N", scale=alt.Scale(domain=named, range=shapes), legend=None)
    tooltip = [
        alt.Tooltip("label:N", title=say("condition")),
        alt.Tooltip("text:N", title=say(text_title)),
        alt.Tooltip("sensitivity:Q", title=say("sensitivity"), format="+.2f"),
        alt.Tooltip("truth_margin:Q", title=say("truth margin"), format="+.2f"),
    ]
    drawn = frame.assign(outcome=[say(name) for name in outcomes])
    diagonal = pd.DataFrame({"sensitivity": domain, "truth_margin": domain})
    line = alt.Chart(diagonal).mark_line(color=QUIET, strokeDash=[4, 3]).encode(x=x, y=y)
    points = alt.Chart(drawn).mark_point(size=60, filled=True, opacity=0.85)
    points = points.encode(x=x, y=y, color=colour, shape=shape, tooltip=tooltip)
    return framed(alt.layer(line, points), HEIGHT)


LOOKS_OF_OUTCOMES = {
    later("right word stays ahead"): (BEFORE, "circle"),
    later("flips"): (AFTER, "cross"),
    later("it had no lead to lose"): (AGAIN, "circle"),
}
"""The colour and the shape of a point, by what became of the lead."""


def _outcome(truth_margin: float, flipped: bool) -> str:
    stays, flips, behind = LOOKS_OF_OUTCOMES
    return behind if truth_margin <= 0 else flips if flipped else stays


def change_chart(frame: pd.DataFrame) -> Any:
    """How much of the prediction stands elsewhere than when asked again: columns label, text, tv, jsd, entropy."""
    drawn = frame.assign(place=range(len(frame)))
    x = alt.X(
        "tv:Q",
        title=say("total variation from asking again"),
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    y = alt.Y("place:O", title=None, axis=None)
    tooltip = [
        alt.Tooltip("label:N", title=say("condition")),
        alt.Tooltip("text:N", title=say("said")),
        alt.Tooltip("tv:Q", title=say("total variation"), format=".1%"),
        alt.Tooltip("jsd:Q", title=say("JSD, nats (at most {most})", most=number(0.69)), format=".3f"),
        alt.Tooltip("entropy:Q", title=say("entropy, nats"), format=".2f"),
    ]
    bars = alt.Chart(drawn).mark_bar(height=12, yOffset=BELOW).encode(x=x, y=y, color=alt.value(AFTER), tooltip=tooltip)
    return framed(alt.layer(bars, row_names(drawn, y)), ROW_PIXELS * len(drawn) + AXIS_PIXELS)
