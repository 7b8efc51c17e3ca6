"""What every layer would write after every token: a map of layer by position."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.analysis.wording import shown
from llm_tracker.charts.frame import framed

ROW_HEIGHT = 11
AXIS_HEIGHT = 96
"""Room for the tokens, which stand upright under the map."""


def positions_chart(frame: pd.DataFrame, value: str, meaning: str) -> Any:
    """A cell a layer and position; the stronger its colour, the larger the probability in the column `value`.

    Frame: a stretch of `analysis.position_lens.PositionLens.frame`; `meaning` says whose probability it is.
    """
    read = frame.drop_duplicates("position")
    tokens = {str(at): shown(str(token)) for at, token in zip(read["position"], read["token"], strict=True)}
    cells = frame.assign(value=frame[value], token=frame["token"].map(shown), best=frame["best"].map(shown))
    drawn = (
        alt.Chart(cells[["layer", "position", "value", "token", "best", "best_prob", "next_prob"]])
        .mark_rect()
        .encode(
            x=alt.X(
                "position:O",
                title="token that was read",
                axis=alt.Axis(labelExpr=f"{json.dumps(tokens, ensure_ascii=False)}[datum.value]", labelAngle=-90),
            ),
            y=alt.Y("layer:O", title="layer", sort="descending", axis=alt.Axis(labelOverlap=True)),
            color=alt.Color(
                "value:Q",
                title=meaning,
                scale=alt.Scale(domain=[0, 1], scheme="blues"),
                legend=alt.Legend(format="%", orient="top", gradientLength=160, titleLimit=400),
            ),
            tooltip=[
                alt.Tooltip("token:N", title="behind"),
                alt.Tooltip("layer:O"),
                alt.Tooltip("best:N", title="would write"),
                alt.Tooltip("best_prob:Q", title="with", format=".2%"),
                alt.Tooltip("next_prob:Q", title="what does come next", format=".2%"),
            ],
        )
    )
    return framed(alt.layer(drawn), ROW_HEIGHT * frame["layer"].nunique() + AXIS_HEIGHT)
