"""The lead of one word over another by relative depth, a line a model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.across_models.colours import MODEL_COLOURS, model_colour
from llm_tracker.charts.base import framed
from llm_tracker.charts.layers import ValueAxis, moved_apart
from llm_tracker.charts.palette import AGAIN, QUIET
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown
from llm_tracker.wording.labels import TURN_LABELS

HEIGHT = 300
LABEL_GAP = 0.07
"""Of the height, what keeps two letters at line ends apart."""

WIDTH, WIDE = 2.6, 6.5
"""Of a line, and of one that others are expected to lie on: both are seen then."""

ROOM = 0.06
"""Of the values' span, what is left above and below them."""


def lead_limits(frame: pd.DataFrame) -> tuple[float, float]:
    """The lowest and highest value of an axis that shows all leads of a frame, and zero."""
    low, high = min([0.0, *frame["lead"]]), max([0.0, *frame["lead"]])
    room = ROOM * (high - low) or 1.0
    return low - room, high + room


def lead_chart(
    frame: pd.DataFrame,
    word: str,
    over: str,
    limits: tuple[float, float] | None = None,
    wide: Collection[str] = (),
) -> Any:
    """One answer of each model: rows of `analysis.across_models.relative_depth.lead_by_depth`.

    Rows of the turn `again` are thin and dashed. Above zero `word` is ahead. `limits` are the lowest and highest value
    of the axis, for charts that stand beside each other; `wide` are the letters of lines on which others will lie.
    """
    low, high = limits or lead_limits(frame)
    letters = sorted(set(frame["model"]))
    x = _depth("depth")
    scale = alt.Scale(domain=[low, high], nice=False)
    title = say("lead of {word} over {over} (logits)", word=shown(word), over=shown(over))
    y = alt.Y("lead:Q", title=title, scale=scale)
    own, again = frame[frame["turn"] != "again"], frame[frame["turn"] == "again"]
    zero = alt.Chart(pd.DataFrame({"zero": [0], "start": [0], "end": [1]}))
    rule = zero.mark_rule(color=QUIET, strokeWidth=1).encode(x=_depth("start"), x2="end:Q", y=alt.Y("zero:Q"))
    layers = [rule, *_dashed(again, x, y, letters), *_lines(own, x, y, letters, wide)]
    layers.append(_letters(own, x, y, ValueAxis(low, high)))
    return framed(alt.layer(*layers), HEIGHT, padding={"left": 0, "top": 16, "right": 18, "bottom": 0})


def _depth(field: str) -> alt.X:
    return alt.X(
        f"{field}:Q",
        title=say("relative depth: layer / layers"),
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", grid=False),
    )


def _lines(own: pd.DataFrame, x: alt.X, y: alt.Y, letters: Sequence[str], wide: Collection[str]) -> list[alt.Chart]:
    """A line a model, with points to hover over; a model of one layer is its point."""
    alone = own[own["n_layers"] == 1]
    base = alt.Chart(own).encode(x=x, y=y, color=model_colour(letters))
    points = alt.Chart(alone).mark_point(size=60, filled=True, opacity=1)
    below, above = (alt.Chart(own[own["model"].isin(list(wide)) == is_wide]) for is_wide in (True, False))
    return [
        below.mark_line(strokeWidth=WIDE, opacity=0.6).encode(x=x, y=y, color=model_colour(letters)),
        above.mark_line(strokeWidth=WIDTH).encode(x=x, y=y, color=model_colour(letters)),
        points.encode(x=x, y=y, color=model_colour(letters)),
        base.mark_point(size=70, filled=True, opacity=0).encode(tooltip=_tooltip()),
    ]


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N", title=" "),
        alt.Tooltip("name:N", title=say("model")),
        alt.Tooltip("layer:Q", title=say("layer")),
        alt.Tooltip("n_layers:Q", title=say("of layers")),
        alt.Tooltip("depth:Q", title=say("depth"), format=".2f"),
        alt.Tooltip("lead:Q", title=say("lead"), format="+.3f"),
    ]


def _dashed(again: pd.DataFrame, x: alt.X, y: alt.Y, letters: Sequence[str]) -> list[alt.Chart]:
    """What merely asking again gives, and what the dashes are."""
    if again.empty:
        return []
    base = alt.Chart(again).encode(x=x, y=y, color=model_colour(letters))
    legend = alt.Chart(pd.DataFrame({"name": [f"- - {say(TURN_LABELS['again'])}"]}))
    text = legend.mark_text(align="left", baseline="bottom", fontSize=11, color=AGAIN, dy=-3)
    return [
        base.mark_line(strokeWidth=1.3, strokeDash=[5, 3]),
        base.mark_point(size=60, filled=True, opacity=0).encode(tooltip=_tooltip()),
        text.encode(x=alt.value(0), y=alt.value(0), text=alt.Text("name:N")),
    ]


def _letters(own: pd.DataFrame, x: alt.X, y: alt.Y, axis: ValueAxis) -> alt.Chart:
    """Each model's letter at the end of its line, moved apart where lines end together."""
    last = own[own["layer"] == own["n_layers"]]
    apart = moved_apart([axis.place(value) for value in last["lead"]], LABEL_GAP)
    rows = pd.DataFrame(
        {
            "depth": 1.0,
            "model": last["model"].to_numpy(),
            "colour": [MODEL_COLOURS[letter] for letter in last["model"]],
            "lead": [axis.value(place) for place in apart],
        }
    )
    text = alt.Chart(rows).mark_text(align="left", dx=7, fontSize=13, fontWeight="bold")
    chart: alt.Chart = text.encode(x=x, y=y, text=alt.Text("model:N"), color=alt.Color("colour:N", scale=None))
    return chart
