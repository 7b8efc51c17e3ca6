"""What words, heads and layers have to do with the margin: bars around zero, and cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed
from llm_tracker.charts.correction.rows import BELOW, ROW_PIXELS, row_names
from llm_tracker.charts.heat import PICK, cells, colours_of, label_room, shortened, upright_labels
from llm_tracker.charts.palette import AFTER, AGAIN, BEFORE, PARKED, QUIET
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import shown

WORD_PIXELS = 22
AXIS_PIXELS = 64
NAME_PIXELS = 100
NUMBER_SHARE = 0.14
"""Of the scale, left free for a number on either side that has bars."""
HEIGHT = 260
CELL_PIXELS = 16
BARS = {later("attention"): (-0.38, -0.02), later("feed-forward part"): (0.02, 0.38)}
"""Where a part's bar stands beside its layer's tick."""


def signed_bars(
    frame: pd.DataFrame, title: str, number: str = "+.2f", long_names: bool = False, pick: Sequence[str] = ()
) -> Any:
    """A bar a row around zero, in their order: columns label, value and grey (what is to be read with care).

    Words stand left of their bars, long names above them, and each bar's number at its end. A click on a bar picks the
    fields `pick`.
    """
    values = frame["value"].astype(float)
    drawn = frame.assign(place=range(len(frame)), label=frame["label"].map(shown), value=values)
    scale = _with_room_for_numbers(values)
    axis = alt.Axis(tickCount=5, format=".0%" if number.endswith("%") else "~f")
    x = alt.X("value:Q", title=title, scale=scale, axis=axis)
    y = alt.Y("place:O", title=None, axis=None)
    kinds = alt.Scale(domain=["for", "against", "grey"], range=[BEFORE, AFTER, PARKED])
    drawn["kind"] = (values > 0).map({True: "for", False: "against"}).mask(frame["grey"].astype(bool), "grey")
    colour = alt.Color("kind:N", legend=None, scale=kinds)
    tooltip = [alt.Tooltip("label:N", title=say("what")), alt.Tooltip("value:Q", title=title, format=number)]
    below = BELOW if long_names else 0
    bars = alt.Chart(drawn).mark_bar(height=12, yOffset=below).encode(x=x, y=y, color=colour, tooltip=tooltip)
    if pick:
        bars = bars.add_params(alt.selection_point(name=PICK, fields=list(pick), toggle=False))
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(x=alt.X("zero:Q", scale=scale))
    names = row_names(drawn, y) if long_names else _words(drawn, y)
    pixels = ROW_PIXELS if long_names else WORD_PIXELS
    layers = [bars, zero, *_numbers(drawn, x, y, number, below), names]
    return framed(alt.layer(*layers), pixels * len(drawn) + AXIS_PIXELS)


def _words(drawn: pd.DataFrame, y: alt.Y) -> Any:
    """Each row's word, left of all bars."""
    names = alt.Chart(drawn).mark_text(align="right", dx=-8, fontSize=12, limit=NAME_PIXELS)
    return names.encode(x=alt.value(0), y=y, text=alt.Text("label:N"))


def _with_room_for_numbers(values: pd.Series) -> alt.Scale:
    """From the smallest value, or 0, to the largest, with room at either end that has bars for their numbers."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    if low == high:
        return alt.Scale(domain=[0.0, 1.0])
    room = NUMBER_SHARE * (high - low)
    return alt.Scale(domain=[low - room if low < 0 else 0.0, high + room if high > 0 else 0.0], nice=True)


def _numbers(drawn: pd.DataFrame, x: alt.X, y: alt.Y, number: str, below: int) -> list[alt.Chart]:
    """Each bar's number, behind its end: right of what is for, left of what is against."""
    is_for, text = drawn["value"] >= 0, alt.Text("value:Q", format=number)
    right = alt.Chart(drawn[is_for]).mark_text(align="left", baseline="middle", dx=4, dy=below, fontSize=11)
    left = alt.Chart(drawn[~is_for]).mark_text(align="right", baseline="middle", dx=-4, dy=below, fontSize=11)
    return [each.encode(x=x, y=y, text=text) for each in (right, left)]


def layers_chart(frame: pd.DataFrame, is_difference: bool = False) -> Any:
    """What attention and feed-forward part of each layer add: columns layer, part, value."""
    n_layers = int(frame["layer"].max())
    title = say("added to the lead (nats)")
    if is_difference:
        title = say("added to the lead, after minus asked again (nats)")
    y = alt.Y("value:Q", title=title, axis=alt.Axis(tickCount=6))
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=[say(part) for part in BARS], range=[BEFORE, AGAIN]),
        legend=alt.Legend(orient="top", title=None, symbolType="square"),
    )
    tooltip = [
        alt.Tooltip("layer:Q", title=say("layer")),
        alt.Tooltip("part:N", title=say("part")),
        alt.Tooltip("value:Q", title=say("nats"), format="+.2f"),
    ]
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=QUIET).encode(y=alt.Y("zero:Q"))
    left, right = (frame["layer"] + frame["part"].map({part: ends[at] for part, ends in BARS.items()}) for at in (0, 1))
    x = alt.X(
        "left:Q",
        title=say("layer (depth, not time)"),
        scale=alt.Scale(domain=[0.5, n_layers + 0.5], nice=False),
        axis=alt.Axis(tickMinStep=1, grid=False),
    )
    drawn = frame.assign(left=left, right=right, zero=0.0, part=frame["part"].map(say))
    bars = alt.Chart(drawn).mark_rect()
    bars = bars.encode(x=x, x2="right:Q", y=y, y2="zero:Q", color=colour, tooltip=tooltip)
    return framed(alt.layer(bars, zero), HEIGHT)


def head_words_chart(frame: pd.DataFrame, words: tuple[str, str]) -> Any:
    """What the strongest heads bring from each word, towards one of two: columns row, head, place, word, value."""
    x = alt.X("place:O", title=None, axis=None)
    y = alt.Y("row:O", title=None, axis=None)
    colours = colours_of(frame["value"], say("nats"), ".1f", is_difference=True)
    colours = replace(colours, signs=(shown(words[1]), shown(words[0])), sign_colours=(AFTER, BEFORE))
    drawn = frame.assign(shown=frame["word"].map(shown))
    tooltip = [
        alt.Tooltip("head:N", title=say("head")),
        alt.Tooltip("shown:N", title=say("from", context="of what something came")),
        alt.Tooltip("value:Q", title=say("nats"), format="+.2f"),
    ]
    labels = drawn.drop_duplicates("place")[["place", "shown"]]
    labels = labels.assign(shown=labels["shown"].map(shortened))
    names = alt.Chart(drawn.drop_duplicates("row")).mark_text(align="right", dx=-6, fontSize=11)
    names = names.encode(x=alt.value(0), y=y, text=alt.Text("head:N"))
    layers = [cells(drawn, x, y, colours, tooltip), upright_labels(labels, x, "shown"), names]
    height = CELL_PIXELS * frame["row"].nunique() + AXIS_PIXELS + label_room(labels["shown"])
    return framed(alt.layer(*layers), height)
