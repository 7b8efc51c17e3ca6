"""Candidates for a token: the ranking before and after on one probability scale, ranks joined by lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import altair as alt
import pandas as pd

from llm_tracker.analysis.candidates import EVERYTHING_ELSE_ID
from llm_tracker.charts.base import framed, tooltip_of
from llm_tracker.charts.difference_bars import difference_bars
from llm_tracker.charts.palette import AGAIN, GRID, QUIET, RECIPE, TURN_COLOURS
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import capitalised, percent, shown
from llm_tracker.wording.labels import TURN_LABELS

ROW_HEIGHT = 36
COLUMN_WIDTH = 0.42
"""Of the whole width, what each ranking takes; the lines between them have the rest."""

CHARACTER = 7
"""Pixels that a character of a percentage takes at most."""

ROOM_FOR_LOGITS = "width > 560"
"""A Vega expression: on narrow screens the logits are left to the tooltip and the table."""

Frames = Mapping[str, pd.DataFrame]


def candidates_chart(sides: Frames, again: pd.DataFrame | None = None, followed: frozenset[int] = frozenset()) -> Any:
    """One ranking a side: a row a token with its bar from 0 to 100 %, everything else last.

    `sides` maps "before" (and "after") to frames of `analysis.candidates`; `again` is the neutral control's, drawn as
    a thin tick across the bars on the right. A line joins a token's two ranks; those of the `followed` token ids are
    drawn darker.
    """
    rows = _rows(sides, again)
    left, right = _columns(len(sides))[0], _columns(len(sides))[-1]
    n_rows = max(len(frame) for frame in sides.values())
    taken = CHARACTER * max(11, rows["percent"].str.len().max())
    layers = [*_grid(len(sides), n_rows), *_bars(rows), *_texts(rows, taken), *_heads(list(sides), taken)]
    if again is not None:
        layers.append(_again_legend(n_rows, taken))
    if len(sides) > 1:
        layers.append(_joins(sides, followed, left[1] + 0.015, right[0] - 0.015))
        layers.append(_ticks(rows))
    return framed(alt.layer(*layers), ROW_HEIGHT * n_rows + 46)


def _columns(n_sides: int) -> list[tuple[float, float]]:
    return [(0.0, 1.0)] if n_sides == 1 else [(0.0, COLUMN_WIDTH), (1 - COLUMN_WIDTH, 1.0)]


def _rows(sides: Frames, again: pd.DataFrame | None) -> pd.DataFrame:
    """Every row of every ranking with the place where it is drawn and the control's probability of its token."""
    control = {} if again is None else dict(zip(again["token_id"], again["prob"], strict=True))
    control.pop(EVERYTHING_ELSE_ID, None)  # what is left over is another rest on each side
    frames = []
    for (name, frame), (start, end) in zip(sides.items(), _columns(len(sides)), strict=True):
        width = end - start
        probs = [control.get(token_id, math.nan) for token_id in frame["token_id"]]
        named = [
            f"{number(rank, ',')}. {shown(token)}" if rank else say(token)
            for rank, token in zip(frame["rank"], frame["token"], strict=True)
        ]
        frames.append(
            pd.DataFrame(
                {
                    "turn": say(TURN_LABELS[name]),
                    "colour": [TURN_COLOURS[name] if rank else RECIPE for rank in frame["rank"]],
                    "row": range(len(frame)),
                    "label": named,
                    "prob": frame["prob"],
                    "percent": [percent(prob) for prob in frame["prob"]],
                    "logit_text": ["" if math.isnan(logit) else number(logit, ".1f") for logit in frame["logit"]],
                    "start": start,
                    "end": end,
                    "bar_end": start + width * frame["prob"],
                    "again_at": [start + width * prob if name == "after" else math.nan for prob in probs],
                    "again": ["" if math.isnan(prob) else percent(prob) for prob in probs],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None)


def _at(frame: pd.DataFrame, down: float) -> alt.Chart:
    """A chart whose marks stand `down` of a row below each row's top; the heads take the room above row 0."""
    n_rows = int(frame["row"].max()) + 1
    chart: alt.Chart = alt.Chart(frame.assign(y=frame["row"] + down)).encode(y=_y("y", n_rows))
    return chart


def _y(field: str, n_rows: int) -> alt.Y:
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[-0.7, n_rows + 0.5], nice=False, reverse=True), axis=None)


def _bars(rows: pd.DataFrame) -> list[alt.Chart]:
    tooltip = [
        tooltip_of("turn:N", say("turn")),
        alt.Tooltip("label:N", title=say("token")),
        alt.Tooltip("prob:Q", title=say("probability"), format=".6f"),
        alt.Tooltip("logit_text:N", title=say("logit")),
        alt.Tooltip("again:N", title=say(TURN_LABELS["again"])),
    ]
    track = (
        _at(rows, 0.78).mark_rule(strokeWidth=8, color=GRID, strokeCap="butt").encode(x=_x("start"), x2=alt.X2("end:Q"))
    )
    bars = (
        _at(rows, 0.78)
        .mark_rule(strokeWidth=8, strokeCap="butt")
        .encode(x=_x("start"), x2=alt.X2("bar_end:Q"), color=alt.Color("colour:N", scale=None), tooltip=tooltip)
    )
    return [track, bars]


def _texts(rows: pd.DataFrame, taken: int) -> list[alt.Chart]:
    """Rank and token on the left of a row, logit and probability on the right, which takes so many pixels."""
    base = _at(rows, 0.36)
    n_sides = rows["turn"].nunique()
    on_the_right = f"{ROOM_FOR_LOGITS} ? {taken + 53} : {CHARACTER} * length(datum.percent) + 4"
    room = f"width * {COLUMN_WIDTH if n_sides > 1 else 1} - ({on_the_right})"
    token, rest = alt.datum.logit_text != "", alt.datum.logit_text == ""
    tokens = base.transform_filter(token).mark_text(align="left", fontSize=13, limit=alt.ExprRef(room))
    return [
        tokens.encode(x=_x("start"), text=alt.Text("label:N")),
        base.transform_filter(rest)
        .mark_text(align="left", fontSize=13)
        .encode(x=_x("start"), text=alt.Text("label:N")),
        base.mark_text(align="right", fontSize=13).encode(x=_x("end"), text=alt.Text("percent:N")),
        _logit_text(base, taken).encode(x=_x("end"), text=alt.Text("logit_text:N")),
    ]


def _logit_text(base: alt.Chart, taken: int) -> alt.Chart:
    """Small print left of the percentages, where there is room for it."""
    opacity = alt.ExprRef(f"{ROOM_FOR_LOGITS} ? 1 : 0")
    chart: alt.Chart = base.mark_text(align="right", dx=-(taken + 7), fontSize=11, color=QUIET, opacity=opacity)
    return chart


def _ticks(rows: pd.DataFrame) -> alt.Chart:
    """The control's probabilities as thin ticks across the bars."""
    marked = rows[rows["again_at"].notna()] if rows["again_at"].notna().any() else rows.head(0)
    n_rows = int(rows["row"].max()) + 1
    frame = marked.assign(y=marked["row"] + 0.6, y2=marked["row"] + 0.96)
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_rule(strokeWidth=2.5, color=AGAIN)
        .encode(
            x=_x("again_at"),
            y=_y("y", n_rows),
            y2=alt.Y2("y2:Q"),
            tooltip=[
                alt.Tooltip("label:N", title=say("token")),
                alt.Tooltip("again:N", title=say(TURN_LABELS["again"])),
            ],
        )
    )
    return chart


def _joins(sides: Frames, followed: frozenset[int], start: float, end: float) -> alt.Chart:
    """A line from each token's row before to its row after."""
    before, after = (list(frame["token_id"]) for frame in sides.values())
    both = [token_id for token_id in before if token_id in after]
    frame = pd.DataFrame(
        {
            "start": start,
            "end": end,
            "y": [before.index(token_id) + 0.55 for token_id in both],
            "y2": [after.index(token_id) + 0.55 for token_id in both],
            "weight": [2.2 if token_id in followed else 1.0 for token_id in both],
        }
    )
    n_rows = max(len(before), len(after))
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_rule(color=QUIET)
        .encode(
            x=_x("start"),
            x2=alt.X2("end:Q"),
            y=_y("y", n_rows),
            y2=alt.Y2("y2:Q"),
            strokeWidth=alt.StrokeWidth("weight:Q", scale=None),
        )
    )
    return chart


def _again_legend(n_rows: int, taken: int) -> alt.Chart:
    """What the tick across the bars is, above the right ranking."""
    frame = pd.DataFrame({"x": [1.0], "y": [-0.4], "label": [f"| {say(TURN_LABELS['again'])}"]})
    left_of_logit = alt.ExprRef(f"{ROOM_FOR_LOGITS} ? {-(taken + 47)} : 0")
    text = alt.Chart(frame).mark_text(align="right", dx=left_of_logit, fontSize=11, color=AGAIN)
    chart: alt.Chart = text.encode(x=_x("x"), y=_y("y", n_rows), text=alt.Text("label:N"))
    return chart


ALIGNED: dict[float, Literal["left", "center", "right"]] = {0.0: "left", 0.5: "center", 1.0: "right"}


def _grid(n_sides: int, n_rows: int) -> list[alt.Chart]:
    """0, 50 and 100 % of each ranking's bars, named below."""
    marks = [
        {"x": start + (end - start) * share, "label": f"{share:.0%}".replace("%", " %"), "share": share}
        for start, end in _columns(n_sides)
        for share in ALIGNED
    ]
    frame = pd.DataFrame(marks).assign(y=n_rows + 0.3)
    base = alt.Chart(frame).encode(x=_x("x"), y=_y("y", n_rows))
    return [
        base.transform_filter(alt.datum.share == share)
        .mark_text(align=align, fontSize=11, color=QUIET)
        .encode(text=alt.Text("label:N"))
        for share, align in ALIGNED.items()
    ]


def _heads(sides: list[str], taken: int) -> list[alt.Chart]:
    """The name of each ranking in its colour, and what its small numbers are."""
    frame = pd.DataFrame(
        {
            "x": [start for start, _ in _columns(len(sides))],
            "end": [end for _, end in _columns(len(sides))],
            "name": [capitalised(say(TURN_LABELS[side])) for side in sides],
            "logit": say("logit"),
            "colour": [TURN_COLOURS[side] for side in sides],
            "y": -0.4,
        }
    )
    base = alt.Chart(frame).encode(y=alt.Y("y:Q", axis=None))
    names = base.mark_text(align="left", fontSize=13, fontWeight="bold").encode(
        x=_x("x"), text=alt.Text("name:N"), color=alt.Color("colour:N", scale=None)
    )
    return [names, _logit_text(base, taken).encode(x=_x("end"), text=alt.Text("logit:N"))]


def candidate_differences_chart(frame: pd.DataFrame) -> Any:
    """What each candidate of both sides has more after: `analysis.candidates.candidate_differences`."""
    known = frame[frame["prob"].notna()].assign(
        value=lambda each: each["prob"], label=lambda each: each["token"].map(shown)
    )
    tooltip = [
        alt.Tooltip("label:N", title=say("token")),
        alt.Tooltip("prob_before:Q", title=say("before"), format=".4%"),
        alt.Tooltip("prob_after:Q", title=say("after"), format=".4%"),
        alt.Tooltip("again:Q", title=say("asked again, minus before"), format="+.4%"),
    ]
    return difference_bars(known, say("probability, after minus before"), tooltip)
