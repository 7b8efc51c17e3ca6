"""Attention by word: the whole as one bar, and the conversation's own words in reading order."""

from __future__ import annotations

from collections import Counter

import altair as alt
import pandas as pd

from llm_tracker.analysis.reading import percent, shown
from llm_tracker.charts.palette import GROUP_COLOURS, GROUP_LABELS

ROW_HEIGHT = 20


def attention_whole_chart(groups: pd.Series[float]) -> alt.Chart:
    """Where all of the attention went: one bar of 100 %, parked in grey first. Groups: `attention_groups`."""
    frame = pd.DataFrame(
        {
            "group": [GROUP_LABELS[str(group)] for group in groups.index],
            "share": groups.to_numpy(),
            "order": range(len(groups)),
            "percent": [percent(float(share)) for share in groups],
        }
    )
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_bar(height=22)
        .encode(
            x=alt.X(
                "share:Q",
                stack="zero",
                title=None,
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=5),
            ),
            color=_group_colour(list(groups.index)),
            order="order:Q",
            tooltip=[alt.Tooltip("group:N"), alt.Tooltip("percent:N", title="share")],
        )
        .properties(height=50, width="container")
    )
    return chart


def attention_words_chart(shares: pd.DataFrame, largest: float) -> alt.Chart:
    """A bar a word, in reading order, repeats kept apart. Frame: rows of `attention_by_word`.

    `largest` is the end of the axis, given so that two charts can share it.
    """
    frame = pd.DataFrame(
        {
            "place": range(len(shares)),
            "label": _kept_apart([shown(word.strip()) or "␣" for word in shares["word"]]),
            "group": [GROUP_LABELS[group] for group in shares["group"]],
            "share": shares["share"].to_numpy(),
            "percent": [percent(share) for share in shares["share"]],
        }
    )
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "label:N",
            title=None,
            # Sorted by a field: words in an expression would be read as code, and one such as "if" would break it.
            sort=alt.EncodingSortField("place", op="min", order="ascending"),
            axis=alt.Axis(labelLimit=160, ticks=False, domain=False, labelOverlap=False),
        ),
        x=alt.X(
            "share:Q",
            title="share of the attention",
            scale=alt.Scale(domain=[0, largest], nice=False),
            axis=alt.Axis(format="~%", tickCount=4),
        ),
    )
    tooltip = [
        alt.Tooltip("label:N", title="word"),
        alt.Tooltip("group:N", title="whose"),
        alt.Tooltip("share:Q", title="share", format=".4%"),
    ]
    bars = base.mark_bar(height=ROW_HEIGHT - 7).encode(
        color=_group_colour(list(shares["group"].unique())), tooltip=tooltip
    )
    chart: alt.Chart = bars.properties(height=alt.Step(ROW_HEIGHT), width="container")
    return chart


def _kept_apart(labels: list[str]) -> list[str]:
    """Repeated words as rows of their own: each repeat carries one more character of no width."""
    seen: Counter[str] = Counter()
    apart = []
    for label in labels:
        apart.append(label + "\u200b" * seen[label])
        seen[label] += 1
    return apart


def _group_colour(groups: list[str]) -> alt.Color:
    present = [group for group in GROUP_COLOURS if group in groups]
    return alt.Color(
        "group:N",
        title=None,
        scale=alt.Scale(
            domain=[GROUP_LABELS[group] for group in present], range=[GROUP_COLOURS[group] for group in present]
        ),
        legend=None,  # one legend stands above both sides
    )
