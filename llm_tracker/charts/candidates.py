"""Candidates for a token, before | after on one probability axis."""

from __future__ import annotations

import altair as alt
import pandas as pd

from llm_tracker.analysis.candidates import EVERYTHING_ELSE
from llm_tracker.analysis.reading import percent, shown
from llm_tracker.charts.palette import TURN_COLOURS

ROW_HEIGHT = 26


def candidates_chart(sides: dict[str, pd.DataFrame]) -> alt.LayerChart | alt.FacetChart:
    """A row a token, a dot a turn, everything else last.

    `sides` maps "before" (and "after") to frames of `analysis.candidates`. Tokens are ordered by the last side's
    probabilities, then by the first's; what has no dot is not among that side's best.
    """
    frame = pd.concat([_side(name, frame) for name, frame in sides.items()], ignore_index=True)
    order = _order(frame, list(sides))
    base = alt.Chart(frame).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=180, ticks=False, domain=False)),
        x=alt.X("prob:Q", title="probability", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
    )
    colour = alt.Color(
        "turn:N",
        title=None,
        scale=alt.Scale(domain=list(sides), range=[TURN_COLOURS[name] for name in sides]),
        legend=alt.Legend(orient="top") if len(sides) > 1 else None,
    )
    tooltip = [
        alt.Tooltip("label:N", title="token"),
        alt.Tooltip("turn:N"),
        alt.Tooltip("prob:Q", title="probability", format=".6f"),
        alt.Tooltip("logit_text:N", title="logit"),
    ]
    line = base.mark_line(color="#9aa3ad", opacity=0.6, strokeWidth=1.5).encode(detail="label:N")
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(
        color=colour,
        tooltip=tooltip,
        shape=alt.Shape(
            "turn:N", scale=alt.Scale(domain=["before", "after"], range=["circle", "diamond"]), legend=None
        ),
    )
    text = base.mark_text(align="left", dx=10, fontSize=11, color="#808a96").encode(text="percent:N")
    layers = [line, dots] if len(sides) > 1 else [dots, text]
    return alt.layer(*layers).properties(height=alt.Step(ROW_HEIGHT), width="container")


def _side(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    label = [shown(token) if rank else token for rank, token in zip(frame["rank"], frame["token"], strict=True)]
    return pd.DataFrame(
        {
            "turn": name,
            "label": _kept_apart(label, frame["token_id"].tolist()),
            "rank": frame["rank"],
            "prob": frame["prob"],
            "percent": [percent(prob) for prob in frame["prob"]],
            "logit_text": [
                f"{logit:.3f}" if rank else "" for logit, rank in zip(frame["logit"], frame["rank"], strict=True)
            ],
        }
    )


def _kept_apart(labels: list[str], token_ids: list[int]) -> list[str]:
    """Labels that two tokens share get the token's number."""
    return [
        f"{label} #{token_id}" if labels.count(label) > 1 else label
        for label, token_id in zip(labels, token_ids, strict=True)
    ]


def _order(frame: pd.DataFrame, sides: list[str]) -> list[str]:
    labels: list[str] = []
    for side in reversed(sides):
        own = frame[(frame["turn"] == side) & (frame["rank"] > 0)].sort_values("rank")
        labels += [label for label in own["label"] if label not in labels]
    return [*labels, EVERYTHING_ELSE]
