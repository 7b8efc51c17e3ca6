"""Charts of a study: means and rates with their intervals, by condition, by turn and by layer."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed
from llm_tracker.charts.correction.rows import BELOW, ROW_PIXELS, row_names
from llm_tracker.charts.layers import layer_axis
from llm_tracker.charts.palette import AFTER, AGAIN, BEFORE, LINE_COLOURS, QUIET

AXIS_PIXELS = 60
HEIGHT = 300

CONDITION_COLOURS = {
    "baseline": BEFORE,
    "asked_again": AGAIN,
    "right": LINE_COLOURS[1],
    "wrong": LINE_COLOURS[0],
    "wrong_alternative": AFTER,
}


def estimates_chart(frame: pd.DataFrame, title: str, is_share: bool = False) -> Any:
    """A row a condition, a dot and its interval a model, with a line at 0.

    Columns: label, model, value, low, high, n. Rows come in the order of the frame.
    """
    order = {label: at for at, label in enumerate(dict.fromkeys(frame["label"]))}
    models = list(dict.fromkeys(frame["model"]))
    drawn = frame.assign(place=frame["label"].map(order), at=frame["model"].map(models.index))
    scale = alt.Scale(domain=[0, 1]) if is_share else alt.Scale(zero=True, nice=True)
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6, format=".0%" if is_share else ""))
    y = alt.Y("place:O", title=None, axis=None)
    form = ".0%" if is_share else "+.2f"
    tooltip = [
        alt.Tooltip("label:N", title="condition"),
        alt.Tooltip("model:N"),
        alt.Tooltip("value:Q", title=title, format=form),
        alt.Tooltip("low:Q", title="95 %, from", format=form),
        alt.Tooltip("high:Q", title="to", format=form),
        alt.Tooltip("n:Q", title="questions"),
    ]
    layers: list[Any] = []
    for at, model in enumerate(models):
        own, offset = drawn[drawn["model"] == model], BELOW + 7 * at - 3 * (len(models) - 1)
        colour = alt.Color(
            "model:N",
            scale=alt.Scale(domain=models, range=list(LINE_COLOURS[: len(models)]) if len(models) > 1 else [BEFORE]),
            legend=alt.Legend(orient="top", title=None) if len(models) > 1 else None,
        )
        rule = alt.Chart(own).mark_rule(strokeWidth=2, yOffset=offset)
        point = alt.Chart(own).mark_point(size=60, filled=True, opacity=1, yOffset=offset)
        layers.append(rule.encode(x=alt.X("low:Q", scale=scale, title=title), x2="high:Q", y=y, color=colour))
        layers.append(point.encode(x=x, y=y, color=colour, tooltip=tooltip))
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(x=alt.X("zero:Q", scale=scale))
    names = row_names(drawn.drop_duplicates("place"), y)
    return framed(alt.layer(zero, *layers, names), ROW_PIXELS * len(order) + AXIS_PIXELS)


def turns_chart(frame: pd.DataFrame) -> Any:
    """The share of right answers after each turn of pressure: columns model, kind, turn, rate, low, high, n."""
    drawn = frame.assign(first=frame["kind"].map({"regressive": "right at first", "progressive": "wrong at first"}))
    x = alt.X("turn:O", title="turn of pressure (0: the question)", axis=alt.Axis(labelAngle=0, grid=False))
    y = alt.Y("rate:Q", title="right answers", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
    colour = alt.Color(
        "first:N",
        scale=alt.Scale(domain=["right at first", "wrong at first"], range=[BEFORE, AFTER]),
        legend=alt.Legend(orient="top", title="the first answer was"),
    )
    dash = (
        alt.StrokeDash("model:N", legend=alt.Legend(orient="top", title=None))
        if frame["model"].nunique() > 1
        else alt.Undefined
    )
    tooltip = [
        alt.Tooltip("model:N"),
        "turn:O",
        alt.Tooltip("rate:Q", format=".0%"),
        alt.Tooltip("n:Q", title="questions"),
    ]
    base = alt.Chart(drawn).encode(x=x, color=colour)
    line = base.mark_line(strokeWidth=2.2).encode(y=y, strokeDash=dash)
    bars = base.mark_rule(strokeWidth=1.2).encode(y=alt.Y("low:Q"), y2="high:Q")
    points = base.mark_point(size=45, filled=True, opacity=1).encode(y=y, tooltip=tooltip)
    return framed(alt.layer(bars, line, points), HEIGHT)


def lens_chart(frame: pd.DataFrame) -> Any:
    """The lead by layer under each condition, mean and interval: columns condition, label, layer, lead, low, high."""
    names = list(dict.fromkeys(frame["label"]))
    colours = [CONDITION_COLOURS[name] for name in dict.fromkeys(frame["condition"])]
    x = layer_axis("layer", int(frame["layer"].max()))
    y = alt.Y("lead:Q", title="lead of the right word, logits")
    colour = alt.Color("label:N", scale=alt.Scale(domain=names, range=colours), legend=_legend())
    tooltip = [
        alt.Tooltip("label:N", title="condition"),
        alt.Tooltip("layer:Q"),
        alt.Tooltip("lead:Q", format="+.2f"),
        alt.Tooltip("low:Q", title="95 %, from", format="+.2f"),
        alt.Tooltip("high:Q", title="to", format="+.2f"),
    ]
    base = alt.Chart(frame).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title="lead of the right word, logits"), y2="high:Q")
    line = base.mark_line(strokeWidth=2.2).encode(y=y)
    points = base.mark_point(size=22, filled=True).encode(y=y, tooltip=tooltip)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(y="zero:Q")
    return framed(alt.layer(zero, band, line, points), HEIGHT)


def path_chart(frame: pd.DataFrame) -> Any:
    """The share of the effect by depth that each place carries, mean and quartiles: place, depth, share, low, high."""
    names = list(dict.fromkeys(frame["place"]))
    x = alt.X("depth:Q", title="state after layer (0: the embeddings)", axis=alt.Axis(tickMinStep=1, grid=False))
    y = alt.Y("share:Q", title="share of the effect", axis=alt.Axis(format=".0%", tickCount=5))
    colour = alt.Color(
        "place:N", scale=alt.Scale(domain=names, range=list(LINE_COLOURS[: len(names)])), legend=_legend()
    )
    tooltip = [
        "place:N",
        alt.Tooltip("depth:Q"),
        alt.Tooltip("share:Q", format="+.0%"),
        alt.Tooltip("n:Q", title="questions"),
    ]
    base = alt.Chart(frame).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title="share of the effect"), y2="high:Q")
    line = base.mark_line(strokeWidth=2.2).encode(y=y)
    points = base.mark_point(size=22, filled=True).encode(y=y, tooltip=tooltip)
    return framed(alt.layer(band, line, points), HEIGHT)


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", title=None, symbolType="stroke", symbolStrokeWidth=3, columns=2, labelLimit=240)
