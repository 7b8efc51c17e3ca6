"""What each layer's read-out says about a watch word, all turns in one chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.analysis.layers import LayerMeasure
from llm_tracker.charts.base import framed, tooltip_of
from llm_tracker.charts.palette import QUIET, TURN_COLOURS
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown
from llm_tracker.wording.labels import TURN_LABELS

HEIGHT = 300
LABEL_PIXELS = 84
"""What the names at the line ends take on the right."""

LABEL_GAP = 0.065
"""Of the height, what keeps two names at line ends apart."""


def layers_chart(frame: pd.DataFrame, measure: LayerMeasure, name: str, over: str = "") -> Any:
    """A line a turn through all layers: the lead over another word, the probability, or the rank (1 on top).

    Frame: `analysis.layers.layer_frame`; `name` and `over` say on the axis whose values they are. Each line carries
    the name of its turn at its end; the control's is thin. Turns with different numbers of layers (two models) share an
    axis of depth, in percent of each one's layers.
    """
    turns = [turn for turn in TURN_COLOURS if turn in set(frame["turn"])]
    n_layers = frame.groupby("turn")["layer"].max()
    x = _depth_axis(n_layers)
    frame = frame.assign(at=frame["layer"])
    if n_layers.nunique() > 1:
        frame = frame.assign(at=100 * frame["layer"] / frame["turn"].map(n_layers))
    y, axis = _value_axis(frame, measure, shown(name), shown(over))
    layers: list[alt.Chart] = []
    if measure == "lead":
        zero = alt.Chart(pd.DataFrame({"zero": [0], "at": [frame["at"].min()], "end": [frame["at"].max()]}))
        layers.append(zero.mark_rule(color=QUIET, strokeWidth=1).encode(x=x, x2=alt.X2("end:Q"), y=alt.Y("zero:Q")))
    layers += _lines(frame.assign(name=[say(TURN_LABELS[turn]) for turn in frame["turn"]]), turns, x, y)
    layers.append(_line_ends(frame, turns, x, y, axis))
    padding = {"left": 0, "top": 5, "right": 4, "bottom": 0}
    return framed(alt.layer(*layers), HEIGHT, padding=padding)


def _depth_axis(n_layers: pd.Series[int]) -> alt.X:
    """The axis of layers, or where their numbers differ, of depth in percent."""
    if n_layers.nunique() > 1:
        ticks = alt.Axis(values=[0, 25, 50, 75, 100], format="d", grid=False)
        scale = alt.Scale(domain=[0, 100], nice=False)
        return alt.X("at:Q", title=say("depth, in % of each one's layers"), scale=scale, axis=ticks)
    return layer_axis("at", max(n_layers, default=1))


def layer_axis(field: str, n_layers: int) -> alt.X:
    """The axis of all layers, from 1."""
    return alt.X(
        f"{field}:Q",
        title=say("layer (depth, not time)"),
        scale=alt.Scale(domain=[1, max(2, n_layers)], nice=False),
        axis=alt.Axis(values=_layer_ticks(n_layers), format="d", grid=False),
    )


def _layer_ticks(n_layers: int) -> list[int]:
    """The first and the last layer, and round numbers between that keep off them."""
    step = next(step for step in (1, 2, 5, 10, 20, 50) if n_layers / step <= 10)
    between = [layer for layer in range(step, n_layers, step) if layer > 1 and n_layers - layer >= step * 0.7]
    return [1, *between, n_layers] if n_layers > 1 else [1]


@dataclass(frozen=True)
class ValueAxis:
    """A value axis: the values at its bottom and at its top."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value stands between the bottom (0) and the top (1)."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, place: float) -> float:
        """The value at a place."""
        if self.logarithmic:
            return self.low * math.pow(self.high / self.low, place)
        return self.low + place * (self.high - self.low)


def _value_axis(frame: pd.DataFrame, measure: LayerMeasure, name: str, over: str) -> tuple[alt.Y, ValueAxis]:
    """The axis of a measure."""
    if measure == "prob":
        scale = alt.Scale(domain=[0, 1])
        title = say("probability of {word}", word=name)
        return alt.Y("value:Q", title=title, scale=scale, axis=alt.Axis(format="%")), ValueAxis(0, 1)
    if measure == "rank":
        worst = max([10.0, *frame["value"]])
        scale = alt.Scale(type="log", domain=[1, worst], reverse=True, nice=False)
        ticks = alt.Axis(format=",d", tickCount=5)
        title = say("rank of {word} (1 = best)", word=name)
        return alt.Y("value:Q", title=title, scale=scale, axis=ticks), ValueAxis(worst, 1, logarithmic=True)
    low, high = min([0.0, *frame["value"]]), max([0.0, *frame["value"]])
    room = 0.06 * (high - low) or 1.0
    axis = ValueAxis(low - room, high + room)
    scale = alt.Scale(domain=[axis.low, axis.high], nice=False)
    title = say("lead of {word} over {over} (logits)", word=name, over=over)
    return alt.Y("value:Q", title=title, scale=scale), axis


def _lines(frame: pd.DataFrame, turns: Sequence[str], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """A line a turn, with points to hover over; shapes of their own, so that no line depends on its colour."""
    dashes = {"before": [1, 0], "after": [1, 0], "again": [5, 3]}
    colour = alt.Color(
        "turn:N", legend=None, scale=alt.Scale(domain=turns, range=[TURN_COLOURS[turn] for turn in turns])
    )
    width = alt.StrokeWidth(
        "turn:N", legend=None, scale=alt.Scale(domain=turns, range=[1.4 if turn == "again" else 2.6 for turn in turns])
    )
    dash = alt.StrokeDash("turn:N", legend=None, scale=alt.Scale(domain=turns, range=[dashes[turn] for turn in turns]))
    tooltip = [
        alt.Tooltip("name:N", title=say("turn")),
        tooltip_of("layer:Q", say("layer")),
        alt.Tooltip("value:Q", title=say("value"), format=".4~g"),
    ]
    base = alt.Chart(frame).encode(x=x, y=y, color=colour)
    return [
        base.mark_line(interpolate="linear").encode(strokeWidth=width, strokeDash=dash),
        base.mark_point(size=70, filled=True, opacity=0).encode(tooltip=tooltip),
    ]


def _line_ends(frame: pd.DataFrame, turns: Sequence[str], x: alt.X, y: alt.Y, axis: ValueAxis) -> alt.Chart:
    """Each line's name at its end, moved apart where lines end together."""
    last = frame[frame["at"] == frame["at"].max()].set_index("turn")["value"]
    apart = moved_apart([axis.place(float(last[turn])) for turn in turns], LABEL_GAP)
    rows = pd.DataFrame(
        {
            "at": frame["at"].max(),
            "name": [say(TURN_LABELS[turn]) for turn in turns],
            "colour": [TURN_COLOURS[turn] for turn in turns],
            "value": [axis.value(place) for place in apart],
        }
    )
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_text(align="left", dx=7, fontSize=12, fontWeight="bold")
        .encode(x=x, y=y, text=alt.Text("name:N"), color=alt.Color("colour:N", scale=None))
    )
    return chart


def moved_apart(places: Sequence[float], gap: float) -> list[float]:
    """Places in [0, 1], each as near as can be to where it was, and no two nearer than `gap`."""
    order = sorted(range(len(places)), key=lambda at: places[at])
    moved = [places[at] for at in order]
    for at in range(1, len(moved)):
        moved[at] = max(moved[at], moved[at - 1] + gap)
    over = moved[-1] - 1 + gap / 2 if moved else 0
    if over > 0:
        moved[-1] -= over
        for at in range(len(moved) - 2, -1, -1):
            moved[at] = min(moved[at], moved[at + 1] - gap)
    return [moved[order.index(at)] for at in range(len(places))]
