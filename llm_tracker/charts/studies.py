"""Charts of a study: means and rates with their intervals, by condition, by turn and by layer."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed
from llm_tracker.charts.correction.rows import BELOW, ROW_PIXELS, row_names
from llm_tracker.charts.layers import layer_axis
from llm_tracker.charts.palette import AFTER, AGAIN, BEFORE, LINE_COLOURS, QUIET
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.studies.labels import FIRST

AXIS_PIXELS = 60
HEIGHT = 300

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4])

MODEL_PIXELS = 7
"""Between the dots of two models in one row."""

EDGE_PIXELS = 8
"""Between the outermost dot and the edge of a chart."""

APART_PIXELS = 6
"""Between two series at one turn."""

FIRST_ANSWERS = {"regressive": FIRST["right"], "progressive": FIRST["other"]}

PLACES = {
    "named word": later("named word"),
    "words between": later("words between"),
    "answer slot": later("answer slot"),
}
"""What the places of a path are called."""

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
    drawn = frame.assign(place=frame["label"].map(order))
    scale = alt.Scale(domain=[0, 1]) if is_share else alt.Scale(zero=True, nice=True, padding=EDGE_PIXELS)
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6, format=".0%" if is_share else ".2~f"))
    y = alt.Y("place:O", title=None, axis=None)
    form = ".0%" if is_share else "+.2f"
    tooltip = [
        alt.Tooltip("label:N", title=say("condition")),
        alt.Tooltip("model:N", title=say("model")),
        alt.Tooltip("value:Q", title=title, format=form),
        alt.Tooltip("low:Q", title=say("95 %, from"), format=form),
        alt.Tooltip("high:Q", title=say("to", context="end of an interval"), format=form),
        alt.Tooltip("n:Q", title=say("questions")),
    ]
    colour = _model_colour(models) if len(models) > 1 else alt.value(BEFORE)
    layers: list[Any] = []
    for at, model in enumerate(models):
        own = drawn[drawn["model"] == model]
        offset = BELOW + MODEL_PIXELS * at - (3 if len(models) > 1 else 0)
        rule = alt.Chart(own[own["low"].notna()]).mark_rule(strokeWidth=2, yOffset=offset)
        point = alt.Chart(own).mark_point(size=60, filled=True, opacity=1, yOffset=offset)
        layers.append(rule.encode(x=alt.X("low:Q", scale=scale, title=title), x2="high:Q", y=y, color=colour))
        layers.append(point.encode(x=x, y=y, color=colour, tooltip=tooltip))
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(x=alt.X("zero:Q", scale=scale))
    names = row_names(drawn.drop_duplicates("place"), y)
    row_pixels = ROW_PIXELS + 2 * MODEL_PIXELS * max(0, len(models) - 2)
    return framed(alt.layer(zero, *layers, names), row_pixels * len(order) + AXIS_PIXELS)


def turns_chart(frame: pd.DataFrame) -> Any:
    """The share of right answers after each turn of pressure: columns model, kind, turn, rate, low, high, n.

    Series stand a few pixels apart, so that no interval hides another. Turn 0 has none: what it is, it is by the way in
    which the questions were sorted.
    """
    drawn = frame.assign(first=frame["kind"].map(FIRST_ANSWERS).map(say))
    models = list(dict.fromkeys(drawn["model"]))
    x = alt.X("turn:O", title=say("turn of pressure (0: the question)"), axis=alt.Axis(labelAngle=0, grid=False))
    y = alt.Y(
        "rate:Q", title=say("right answers"), scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)
    )
    colour, dash = _by_first_answer() if len(models) == 1 else _by_model(models)
    tooltip = [
        alt.Tooltip("model:N", title=say("model")),
        alt.Tooltip("first:N", title=say("first answer")),
        alt.Tooltip("turn:O", title=say("turn")),
        alt.Tooltip("rate:Q", title=say("right answers"), format=".0%"),
        alt.Tooltip("low:Q", title=say("95 %, from"), format=".0%"),
        alt.Tooltip("high:Q", title=say("to", context="end of an interval"), format=".0%"),
        alt.Tooltip("n:Q", title=say("questions")),
    ]
    layers: list[Any] = []
    several = [own for _, own in drawn.groupby(["model", "first"], sort=False)]
    for at, own in enumerate(several):
        offset = APART_PIXELS * (at - (len(several) - 1) / 2)
        base, pushed = alt.Chart(own).encode(x=x, color=colour), alt.Chart(own[own["turn"] > 0])
        rule = pushed.mark_rule(strokeWidth=1.2, xOffset=offset).encode(x=x, color=colour)
        layers.append(rule.encode(y=alt.Y("low:Q", title=say("right answers")), y2="high:Q"))
        layers.append(base.mark_line(strokeWidth=2.2, xOffset=offset).encode(y=y, strokeDash=dash))
        layers.append(base.mark_point(size=45, filled=True, opacity=1, xOffset=offset).encode(y=y, tooltip=tooltip))
    return framed(alt.layer(*layers), HEIGHT)


def _by_first_answer() -> tuple[Any, Any]:
    names = _first_answers()
    scale = alt.Scale(domain=names, range=[BEFORE, AFTER])
    return alt.Color("first:N", scale=scale, legend=_legend()), _dash("first", names)


def _first_answers() -> list[str]:
    return [say(name) for name in FIRST_ANSWERS.values()]


def _by_model(models: list[str]) -> tuple[Any, Any]:
    return _model_colour(models), _dash("first", _first_answers())


def _dash(field: str, names: list[str]) -> alt.StrokeDash:
    """A dash for each line, so that nobody has to tell them by their colours."""
    return alt.StrokeDash(f"{field}:N", scale=alt.Scale(domain=names, range=DASHES[: len(names)]), legend=_legend())


def _model_colour(models: list[str]) -> alt.Color:
    """A colour for each of several models, the same in all charts of a study."""
    scale = alt.Scale(domain=models, range=list(LINE_COLOURS[: len(models)]))
    return alt.Color("model:N", scale=scale, legend=_legend("circle", 0))


def lens_chart(frame: pd.DataFrame) -> Any:
    """The lead by layer under each condition, mean and interval: columns condition, label, layer, lead, low, high."""
    names = list(dict.fromkeys(frame["label"]))
    colours = [CONDITION_COLOURS[name] for name in dict.fromkeys(frame["condition"])]
    x = layer_axis("layer", int(frame["layer"].max()))
    y = alt.Y("lead:Q", title=say("lead of the right word, logits"))
    colour = alt.Color("label:N", scale=alt.Scale(domain=names, range=colours), legend=_legend())
    tooltip = [
        alt.Tooltip("label:N", title=say("condition")),
        alt.Tooltip("layer:Q", title=say("layer")),
        alt.Tooltip("lead:Q", title=say("lead"), format="+.2f"),
        alt.Tooltip("low:Q", title=say("95 %, from"), format="+.2f"),
        alt.Tooltip("high:Q", title=say("to", context="end of an interval"), format="+.2f"),
    ]
    base = alt.Chart(frame).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.18).encode(
        y=alt.Y("low:Q", title=say("lead of the right word, logits")), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2.2).encode(y=y, strokeDash=_dash("label", names))
    points = base.mark_point(size=22, filled=True).encode(y=y, tooltip=tooltip)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(y="zero:Q")
    return framed(alt.layer(zero, band, line, points), HEIGHT)


def path_chart(frame: pd.DataFrame) -> Any:
    """The share of the effect by depth that each place carries, mean and quartiles: place, depth, share, low, high."""
    drawn = frame.assign(place=frame["place"].map(PLACES).map(say))
    names = list(dict.fromkeys(drawn["place"]))
    x = alt.X("depth:Q", title=say("state after layer (0: the embeddings)"), axis=alt.Axis(tickMinStep=1, grid=False))
    y = alt.Y("share:Q", title=say("share of the effect"), axis=alt.Axis(format=".0%", tickCount=5))
    colour = alt.Color(
        "place:N", scale=alt.Scale(domain=names, range=list(LINE_COLOURS[: len(names)])), legend=_legend()
    )
    tooltip = [
        alt.Tooltip("place:N", title=say("place")),
        alt.Tooltip("depth:Q", title=say("depth")),
        alt.Tooltip("share:Q", title=say("share"), format="+.0%"),
        alt.Tooltip("n:Q", title=say("questions")),
    ]
    base = alt.Chart(drawn).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title=say("share of the effect")), y2="high:Q")
    line = base.mark_line(strokeWidth=2.2).encode(y=y, strokeDash=_dash("place", names))
    points = base.mark_point(size=22, filled=True).encode(y=y, tooltip=tooltip)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(y="zero:Q")
    return framed(alt.layer(zero, band, line, points), HEIGHT)


def _legend(symbol: str = "stroke", stroke_width: int = 3) -> alt.Legend:
    """A legend with room for the names of models, its symbols as strong as the lines and not as the bands."""
    return alt.Legend(
        orient="top",
        title=None,
        symbolType=symbol,
        symbolStrokeWidth=stroke_width,
        symbolOpacity=1,
        columns=2,
        labelLimit=240,
    )
