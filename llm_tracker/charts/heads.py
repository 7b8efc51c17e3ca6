"""Every head of every layer in one cell, and one head's pattern."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed, tooltip_of
from llm_tracker.charts.heat import Colours, cells, label_room, outline, shortened, upright_labels
from llm_tracker.charts.palette import BEFORE, QUIET
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown

ROW_PIXELS = 13
AXIS_PIXELS = 95
"""Room above the grid for what the colours mean, and below it for the axis."""


def heads_chart(frame: pd.DataFrame, colours: Colours, chosen: tuple[int, int | None] | None = None) -> Any:
    """A cell a head, layers upwards: columns layer, head (both from 1) and value; a click picks layer and head.

    The `chosen` head is outlined; a layer without one as a whole.
    """
    x = alt.X("head:O", title=say("head"), axis=alt.Axis(labelAngle=0, labelOverlap=True))
    y = alt.Y("layer:O", title=say("layer"), sort="descending", axis=alt.Axis(labelOverlap=True))
    tooltip = [
        tooltip_of("layer:O", say("layer")),
        tooltip_of("head:O", say("head")),
        alt.Tooltip("value:Q", title=colours.meaning, format=colours.number),
    ]
    layers = [cells(frame, x, y, colours, tooltip, ("layer", "head"))]
    if chosen is not None:
        layer, head = chosen
        heads = sorted(set(frame["head"][frame["layer"] == layer])) if head is None else [head]
        if head is not None or heads:
            layers.append(outline(pd.DataFrame([{"layer": layer, "head": each} for each in heads]), x, y))
    return framed(alt.layer(*layers), ROW_PIXELS * frame["layer"].nunique() + AXIS_PIXELS)


def pattern_chart(frame: pd.DataFrame, colours: Colours, chosen: int | None = None) -> Any:
    """One head's pattern: a cell for what each position (query, downwards) gave to each one before it (key).

    Columns: query, key (places), query_text, key_text, parked, value. What is parked is grey, but in a difference,
    whose colours are the signs. A click picks the query; the row of the `chosen` query is outlined.
    """
    drawn = frame.assign(query_text=frame["query_text"].map(shown), key_text=frame["key_text"].map(shown))
    keys = drawn.drop_duplicates("key")[["key", "key_text"]]
    queries = drawn.drop_duplicates("query")[["query", "query_text"]]
    labels = keys.assign(key_text=keys["key_text"].map(shortened))
    x = alt.X("key:O", title=None, axis=None)
    y = alt.Y("query:O", title=None, axis=None, sort="ascending")
    tooltip = [
        alt.Tooltip("query_text:N", title=say("this position")),
        alt.Tooltip("key_text:N", title=say("looked at")),
        alt.Tooltip("value:Q", title=colours.meaning, format=colours.number),
    ]
    names = (
        alt.Chart(queries.assign(query_text=queries["query_text"].map(shortened)))
        .mark_text(align="right", dx=-4, fontSize=10)
        .encode(x=alt.value(0), y=y, text=alt.Text("query_text:N"))
    )
    drawn["kind"] = drawn["parked"].map({True: "parked", False: "not parked"})
    kinds = alt.Color("kind:N", scale=alt.Scale(domain=["not parked", "parked"], range=[BEFORE, QUIET]), legend=None)
    filled = cells(drawn, x, y, colours, tooltip, ("query",), kinds)
    layers = [filled, upright_labels(labels, x, "key_text"), names]
    if chosen is not None and chosen in set(queries["query"]):
        row = pd.DataFrame([{"query": chosen}])
        layers.append(outline(row, alt.X(value=0), y).encode(x2=alt.value("width")))
    height = 12 * len(queries) + 60 + label_room(labels["key_text"])
    padding = {"left": 6 + label_room(queries["query_text"].map(shortened)), "top": 0, "right": 5, "bottom": 5}
    return framed(alt.layer(*layers), height, padding=padding)
