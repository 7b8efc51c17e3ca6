"""Candidates for a token, before | after on one probability axis."""

from __future__ import annotations

import math
from collections import Counter

import altair as alt
import pandas as pd

from llm_tracker.analysis.candidates import EVERYTHING_ELSE
from llm_tracker.analysis.reading import percent, shown
from llm_tracker.charts.palette import PARKED, TURN_COLOURS

ROW_HEIGHT = 26
LABELLED_SHARE = 0.05
"""Dots with at least this probability carry it as text; smaller ones would collide at the axis."""


def candidates_chart(sides: dict[str, pd.DataFrame]) -> alt.LayerChart | alt.FacetChart:
    """A row a token, a dot a turn, everything else last.

    `sides` maps "before" (and "after") to frames of `analysis.candidates`. Tokens are ordered by the last side's
    probabilities, then by the first's; what has no dot is not among that side's best.
    """
    frame = _frame(sides)
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "label:N",
            # Sorted by a field: a list of tokens would become an expression, and a token such as "if" would break it.
            sort=alt.EncodingSortField("place", op="min", order="ascending"),
            title=None,
            axis=alt.Axis(labelLimit=180, ticks=False, domain=False),
        ),
        x=alt.X("prob:Q", title="probability", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
    )
    line = base.mark_line(color=PARKED, opacity=0.6, strokeWidth=1.5).encode(detail="label:N")
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(
        color=_turn_colour(list(sides)),
        shape=alt.Shape("turn:N", scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())), legend=None),
        tooltip=[
            alt.Tooltip("label:N", title="token"),
            alt.Tooltip("turn:N"),
            alt.Tooltip("prob:Q", title="probability", format=".6f"),
            alt.Tooltip("logit_text:N", title="logit"),
        ],
    )
    text = base.mark_text(align="left", dx=10, fontSize=11, color="#808a96").encode(text="percent:N")
    layers = [line, dots, text] if len(sides) > 1 else [dots, text]
    return alt.layer(*layers).properties(height=alt.Step(ROW_HEIGHT), width="container")


SHAPES = {"before": "circle", "after": "diamond"}


def _turn_colour(turns: list[str]) -> alt.Color:
    scale = alt.Scale(domain=turns, range=[TURN_COLOURS[turn] for turn in turns])
    return alt.Color("turn:N", title=None, scale=scale, legend=alt.Legend(orient="top") if len(turns) > 1 else None)


def _frame(sides: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All sides' rows, with the label and the place of each token's row."""
    frame = pd.concat([side.assign(turn=name) for name, side in sides.items()], ignore_index=True)
    labels, order = _labels(frame), _order(frame, list(sides))
    written = len(sides) == 1
    return pd.DataFrame(
        {
            "turn": frame["turn"],
            "label": [labels[token_id] for token_id in frame["token_id"]],
            "place": [order.index(token_id) for token_id in frame["token_id"]],
            "prob": frame["prob"],
            "percent": [percent(prob) if written or prob >= LABELLED_SHARE else "" for prob in frame["prob"]],
            "logit_text": ["" if math.isnan(logit) else f"{logit:.3f}" for logit in frame["logit"]],
        }
    )


def _labels(frame: pd.DataFrame) -> dict[int, str]:
    """Each token as it is shown; two tokens that look alike get their numbers."""
    labels = {
        int(token_id): shown(token) if token_id >= 0 else EVERYTHING_ELSE
        for token_id, token in zip(frame["token_id"], frame["token"], strict=True)
    }
    seen = Counter(labels.values())
    return {token_id: f"{label} #{token_id}" if seen[label] > 1 else label for token_id, label in labels.items()}


def _order(frame: pd.DataFrame, sides: list[str]) -> list[int]:
    """The tokens from top to bottom: the last side's best first, then what only the first has, then all others."""
    order: list[int] = []
    for side in reversed(sides):
        own = frame[(frame["turn"] == side) & (frame["rank"] > 0)].sort_values("rank")
        order += [token_id for token_id in own["token_id"] if token_id not in order]
    return [*order, -1]
