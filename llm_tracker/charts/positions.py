"""What every layer would write after every token: a map of layer by position."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed
from llm_tracker.charts.palette import BEFORE
from llm_tracker.wording.formats import shown

ROW_PIXELS = 11
CHARACTER_PIXELS = 6
"""Room under the map for a character of the tokens, which stand upright."""

HEAD_PIXELS = 52
"""Room above it for what the colours mean."""

LABEL_LENGTH = 14
FAINTEST = 0.06
"""Opacity of a cell without probability: it is there, on a light page and on a dark one."""


def positions_chart(frame: pd.DataFrame, value: str, meaning: str) -> Any:
    """A cell a layer and position; the stronger its colour, the larger the probability in the column `value`.

    `frame` is a stretch of `PositionLens.frame` (`analysis.lens.position_lens`); `meaning` says whose probability it
    is. The tokens are marks of their own: in an axis they would stand in an expression, which Vega reads as code.
    """
    columns = ["layer", "position", "value", "token", "best", "best_prob", "next_prob"]
    cells = frame.assign(value=frame[value], token=frame["token"].map(shown), best=frame["best"].map(shown))[columns]
    read = cells.drop_duplicates("position")[["position", "token"]]
    x = alt.X("position:O", title=None, axis=None)
    shortened = read["token"].map(_shortened)
    room = CHARACTER_PIXELS * (2 + int(shortened.str.len().max()))
    labels = alt.Chart(read.assign(token=shortened)).mark_text(
        angle=270, align="right", baseline="middle", dy=0, dx=-6, fontSize=10
    )
    layers = [_cells(cells, x, meaning, value), labels.encode(x=x, y=alt.value("height"), text="token:N")]
    padding = {"left": 0, "top": 0, "right": 5, "bottom": 5}
    height = ROW_PIXELS * frame["layer"].nunique() + HEAD_PIXELS + room
    return framed(alt.layer(*layers), height, padding=padding)


def _cells(cells: pd.DataFrame, x: alt.X, meaning: str, value: str) -> Any:
    own = (
        []
        if value in ("best_prob", "next_prob")
        else [alt.Tooltip("value:Q", title="what the colour shows", format=".2%")]
    )
    legend = alt.Legend(format="%", orient="top", values=[0, 0.5, 1], symbolType="square", titleLimit=400)
    return (
        alt.Chart(cells)
        .mark_rect(color=BEFORE)
        .encode(
            x=x,
            y=alt.Y("layer:O", title="layer", sort="descending", axis=alt.Axis(labelOverlap=True)),
            opacity=alt.Opacity(
                "value:Q", title=meaning, scale=alt.Scale(domain=[0, 1], range=[FAINTEST, 1]), legend=legend
            ),
            tooltip=[
                alt.Tooltip("token:N", title="behind"),
                alt.Tooltip("layer:O"),
                alt.Tooltip("best:N", title="would write"),
                alt.Tooltip("best_prob:Q", title="with", format=".2%"),
                alt.Tooltip("next_prob:Q", title="what does come next", format=".2%"),
                *own,
            ],
        )
    )


def _shortened(token: str) -> str:
    return token if len(token) <= LABEL_LENGTH else f"{token[: LABEL_LENGTH - 1]}…"
