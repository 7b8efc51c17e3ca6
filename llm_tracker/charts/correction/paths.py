"""Where a difference travels: its curves by depth, the grid of single positions, and the lead through the layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import LEGEND_COLUMNS, framed
from llm_tracker.charts.heat import cells, colours_of, label_room, shortened, upright_labels
from llm_tracker.charts.layers import layer_axis
from llm_tracker.charts.palette import AFTER, AGAIN, BEFORE, LINE_COLOURS, QUIET
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown

HEIGHT = 280
ROW_PIXELS = 13
AXIS_PIXELS = 50
LABEL_ROOM = 9
"""What each label of a legend in two columns takes of the height."""

MOST_BESIDE = 18
"""Characters of the longest label with which two columns of a legend fit on a phone."""

GROUP_COLOURS = dict(zip(("the word itself", "words between", "answer position"), LINE_COLOURS, strict=False))
CONDITION_COLOURS = {
    "the question alone": BEFORE,
    "the correction": AFTER,
    "merely asked again": AGAIN,
    "“right”": LINE_COLOURS[1],
    "“wrong”": LINE_COLOURS[0],
    "“wrong”, and a word named": LINE_COLOURS[2],
}


def path_chart(frame: pd.DataFrame) -> Any:
    """A line a group of positions: columns group, depth (0 = the embeddings) and share of the effect.

    Shares are not cut off at 0 or 1.
    """
    n_layers = int(frame["depth"].max())
    low, high = min(0.0, float(frame["share"].min())), max(1.0, float(frame["share"].max()))
    room = 0.04 * (high - low)
    y = alt.Y(
        "share:Q",
        title=say("share of the effect"),
        scale=alt.Scale(domain=[low - room, high + room], nice=False),
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    x = alt.X(
        "depth:Q",
        title=say("state after layer (0: the embeddings)"),
        scale=alt.Scale(domain=[0, n_layers], nice=False),
        axis=alt.Axis(tickMinStep=1, grid=False),
    )
    colour = _colour("group", list(dict.fromkeys(frame["group"])), GROUP_COLOURS)
    tooltip = [
        alt.Tooltip("group:N", title=say("swapped")),
        alt.Tooltip("depth:Q", title=say("after layer")),
        alt.Tooltip("share:Q", title=say("share of the effect"), format="+.1%"),
        alt.Tooltip("margin:Q", title=say("lead, nats"), format="+.2f"),
    ]
    base = alt.Chart(frame.assign(group=frame["group"].map(say))).encode(x=x, y=y)
    line = base.mark_line(strokeWidth=2.4).encode(color=colour)
    points = base.mark_point(size=26, filled=True).encode(color=colour, tooltip=tooltip)
    return framed(alt.layer(_rules([0.0, 1.0], y), line, points), HEIGHT)


def _colour(field: str, names: list[str], colours: dict[str, str]) -> alt.Color:
    """The colours of names, which are said in the legend as in the rows."""
    labels = [say(name) for name in names]
    scale = alt.Scale(domain=labels, range=[colours[name] for name in names])
    columns = 2 if max(map(len, labels)) <= MOST_BESIDE else LEGEND_COLUMNS
    legend = alt.Legend(
        orient="top", title=None, symbolType="stroke", symbolStrokeWidth=3, columns=columns, labelLimit=240
    )
    return alt.Color(f"{field}:N", scale=scale, legend=legend)


def _rules(values: list[float], y: alt.Y) -> Any:
    """Thin lines at values that mean something."""
    return alt.Chart(pd.DataFrame({"share": values})).mark_rule(color=QUIET, strokeDash=[3, 3]).encode(y=y)


def grid_chart(frame: pd.DataFrame) -> Any:
    """A cell for each position (from the word to the answer position) and depth: columns place, token, depth, value."""
    x = alt.X("place:O", title=None, axis=None)
    y = alt.Y("depth:O", title=say("state after layer"), sort="descending", axis=alt.Axis(labelOverlap=True))
    colours = colours_of(frame["value"], say("share of the effect"), ".0%", is_difference=True)
    high, signs = max(1.0, colours.high), (say("against"), say("for"))
    colours = replace(colours, high=high, signs=signs, sign_colours=(AFTER, BEFORE))
    tooltip = [
        alt.Tooltip("shown:N", title=say("position")),
        alt.Tooltip("depth:O", title=say("after layer")),
        alt.Tooltip("value:Q", title=say("share of the effect"), format="+.1%"),
    ]
    drawn = frame.assign(shown=frame["token"].map(shown))
    labels = drawn.drop_duplicates("place")[["place", "shown"]]
    labels = labels.assign(shown=labels["shown"].map(shortened))
    layers = [cells(drawn, x, y, colours, tooltip), upright_labels(labels, x, "shown")]
    height = ROW_PIXELS * frame["depth"].nunique() + AXIS_PIXELS + label_room(labels["shown"])
    return framed(alt.layer(*layers), height)


def lens_chart(frame: pd.DataFrame, title: str) -> Any:
    """The lead by layer under several conditions: columns condition, layer, lead, kl_nats, jsd."""
    n_layers = int(frame["layer"].max())
    y = alt.Y("lead:Q", title=title, axis=alt.Axis(tickCount=6))
    colour = _colour("condition", list(dict.fromkeys(frame["condition"])), CONDITION_COLOURS)
    tooltip = [
        alt.Tooltip("condition:N", title=say("condition")),
        alt.Tooltip("layer:Q", title=say("layer")),
        alt.Tooltip("lead:Q", title=say("lead, nats"), format="+.2f"),
        alt.Tooltip("kl_nats:Q", title=say("KL to the last layer, nats"), format=".2f"),
        alt.Tooltip("jsd:Q", title=say("JSD from asked again, nats"), format=".3f"),
    ]
    drawn = frame.assign(condition=frame["condition"].map(say))
    base = alt.Chart(drawn).encode(x=layer_axis("layer", n_layers), y=y)
    zero = alt.Chart(pd.DataFrame({"lead": [0.0]})).mark_rule(color=QUIET).encode(y=alt.Y("lead:Q"))
    line = base.mark_line(strokeWidth=2.2).encode(color=colour)
    points = base.mark_point(size=50, filled=True, opacity=0).encode(tooltip=tooltip)
    return framed(alt.layer(zero, line, points), HEIGHT + LABEL_ROOM * drawn["condition"].nunique())
