"""Cells of a heat map, on light pages and on dark ones: the stronger the colour, the larger the number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.palette import AFTER, BEFORE, QUIET
from llm_tracker.languages.texts import say

FAINTEST = 0.06
"""Opacity of a cell whose value is the smallest: it is there, on a light page and on a dark one."""

PICK = "pick"
"""The name of the selection that a click on a cell makes."""


def _signs() -> tuple[str, str]:
    return say("more before"), say("more after")


@dataclass(frozen=True)
class Colours:
    """What the colours of a heat map mean."""

    meaning: str
    """The legend's title."""
    low: float
    high: float
    """The values of the faintest and of the strongest colour."""
    number: str = ".3~g"
    """How values are written (d3-format)."""
    is_difference: bool = False
    """Whether the sign has a colour of its own: blue below zero, orange above."""
    signs: tuple[str, str] = field(default_factory=_signs)
    """What the two colours of a difference are called."""
    is_logarithmic: bool = False
    colour: str = BEFORE
    sign_colours: tuple[str, str] = (BEFORE, AFTER)
    """Of a difference: below zero, and above."""


def colours_of(values: pd.Series[float], meaning: str, number: str = ".3~g", is_difference: bool = False) -> Colours:
    """Colours for values from 0 on, or for differences: centred on zero, both signs on one scale."""
    largest = float(values.abs().max()) if values.notna().any() else 0.0
    return Colours(meaning, 0.0, largest or 1.0, number, is_difference)


def cells(
    frame: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    colours: Colours,
    tooltip: Sequence[alt.Tooltip],
    pick: Sequence[str] = (),
    kinds: alt.Color | None = None,
) -> Any:
    """A rectangle for each row of a frame with a column `value`; a click picks the fields `pick`.

    A value that is not there (NaN) has a thin grey cell, which says nothing. `kinds` are the colours of what is no
    difference, where there are several.
    """
    known = frame[frame["value"].notna()]
    if colours.is_difference:
        known = known.assign(
            size=known["value"].abs(), sign=(known["value"] > 0).map({False: colours.signs[0], True: colours.signs[1]})
        )
    else:
        known = known.assign(size=known["value"])
    chart = alt.Chart(known).encode(x=x, y=y, opacity=_opacity(colours), tooltip=list(tooltip))
    chart = chart.mark_rect() if colours.is_difference else chart.mark_rect(color=colours.colour)
    if colours.is_difference:
        chart = chart.encode(color=_sign_colours(colours))
    elif kinds is not None:
        chart = chart.encode(color=kinds)
    if pick:
        chart = chart.add_params(alt.selection_point(name=PICK, fields=list(pick), toggle=False))
    missing = frame[frame["value"].isna()]
    if missing.empty:
        return chart
    blank = alt.Chart(missing).mark_rect(color=QUIET, opacity=0.12).encode(x=x, y=y)
    return alt.layer(blank, chart)


def _sign_colours(colours: Colours) -> alt.Color:
    scale = alt.Scale(domain=list(colours.signs), range=list(colours.sign_colours))
    # as high as the legend of the strengths, beside which it has to fit on a phone
    legend = alt.Legend(orient="top", direction="vertical", title=None, symbolType="square")
    return alt.Color("sign:N", scale=scale, legend=legend)


def _opacity(colours: Colours) -> alt.Opacity:
    middle = (colours.low + colours.high) / 2
    values = [colours.low, middle, colours.high]
    kind: dict[str, Any] = {}
    if colours.is_logarithmic:
        middle = (colours.low * colours.high) ** 0.5
        values, kind = [colours.low, middle, colours.high], {"type": "log"}
    legend = alt.Legend(
        format=colours.number,
        orient="top",
        values=values,
        symbolType="square",
        symbolStrokeWidth=0,
        symbolFillColor=QUIET if colours.is_difference else colours.colour,
        titleLimit=420,
    )
    # Where nothing differs there is no colour: the sign of what rounding leaves would make a pattern of it.
    domain, strengths = [colours.low, colours.high], [0 if colours.is_difference else FAINTEST, 1]
    if colours.is_logarithmic:  # of ranks the best has the strongest colour
        strengths = [1, FAINTEST]
    scale = alt.Scale(domain=domain, range=strengths, clamp=True, **kind)
    return alt.Opacity("size:Q", title=colours.meaning, scale=scale, legend=legend)


def outline(frame: pd.DataFrame, x: alt.X, y: alt.Y) -> Any:
    """A frame around the cell that is looked at: one row with its place."""
    return alt.Chart(frame).mark_rect(filled=False, stroke=AFTER, strokeWidth=2.5).encode(x=x, y=y)


UPRIGHT_PIXELS = 9
"""What an upright label takes from left to right."""


def upright_labels(frame: pd.DataFrame, x: alt.X, field: str) -> Any:
    """Texts that stand upright below a heat map: marks, not an axis, whose texts Vega would read as code.

    Where the map is too narrow for all of them, every second is left out, or three of four.
    """
    places = range(len(frame))
    least = [0.0 if at % 4 == 0 else UPRIGHT_PIXELS / 2 if at % 2 == 0 else float(UPRIGHT_PIXELS) for at in places]
    text = alt.Chart(frame.assign(least=least)).mark_text(
        angle=270, align="right", baseline="middle", dx=-6, fontSize=10
    )
    fits = f"width >= {max(1, len(frame))} * datum.least"
    opacity = alt.condition(fits, alt.value(1), alt.value(0))
    return text.encode(x=x, y=alt.value("height"), text=alt.Text(f"{field}:N"), opacity=opacity)


CHARACTER_PIXELS = 6
"""Room below a heat map for a character of the upright texts."""

LABEL_LENGTH = 14


def shortened(text: str) -> str:
    """A label with at most so many characters."""
    return text if len(text) <= LABEL_LENGTH else f"{text[: LABEL_LENGTH - 1]}…"


def label_room(labels: pd.Series[str]) -> int:
    """Pixels that upright labels take."""
    return CHARACTER_PIXELS * (2 + max(map(len, labels), default=0))
