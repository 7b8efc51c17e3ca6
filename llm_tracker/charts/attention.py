"""Where all of the attention went: one bar of 100 % a turn, what is parked in grey first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import LEGEND_COLUMNS, framed, tooltip_of
from llm_tracker.charts.difference_bars import difference_bars
from llm_tracker.charts.palette import GROUP_COLOURS
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import shown
from llm_tracker.wording.labels import GROUP_LABELS, TURN_LABELS

BAR_HEIGHTS = {"before": 20, "after": 20, "again": 9}
ROW_HEIGHT = 30
LEGEND_ROW = 20
AXIS_HEIGHT = 74
"""A chart's height on the page includes its axis."""


def attention_chart(groups: Mapping[str, pd.Series[float]]) -> Any:
    """A bar a turn, the control's thin; its parts are the groups of `analysis.attention.attention_groups`.

    `groups` maps "before" (and "after", "again") to shares that sum to 1.
    """
    frame = pd.concat([_rows(turn, shares) for turn, shares in groups.items()], ignore_index=True)
    present = [group for group in GROUP_COLOURS if group in set(frame["group"])]
    base = alt.Chart(frame).encode(
        x=alt.X(
            "start:Q", title=say("share of the attention"), scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")
        ),
        x2=alt.X2("end:Q"),
        y=alt.Y(
            "turn:N",
            title=None,
            sort=[say(label) for label in TURN_LABELS.values()],
            axis=alt.Axis(ticks=False, domain=False, labelOverlap=False),
        ),
        color=alt.Color(
            "meaning:N",
            legend=alt.Legend(orient="top", title=None, symbolType="square", columns=LEGEND_COLUMNS, labelLimit=260),
            scale=alt.Scale(
                domain=[say(GROUP_LABELS[group]) for group in present],
                range=[GROUP_COLOURS[group] for group in present],
            ),
        ),
        tooltip=[
            tooltip_of("turn:N", say("turn")),
            alt.Tooltip("meaning:N", title=say("where")),
            alt.Tooltip("share:Q", title=say("share"), format=".4%"),
        ],
    )
    bars = [base.transform_filter(alt.datum.name == turn).mark_bar(height=BAR_HEIGHTS[turn]) for turn in groups]
    legend = LEGEND_ROW * len(present)  # in one column, as on a narrow screen
    return framed(alt.layer(*bars), ROW_HEIGHT * len(groups) + AXIS_HEIGHT + legend)


def _rows(turn: str, shares: pd.Series[float]) -> pd.DataFrame:
    ends = shares.cumsum()
    return pd.DataFrame(
        {
            "name": turn,
            "turn": say(TURN_LABELS[turn]),
            "group": [str(group) for group in shares.index],
            "meaning": [say(GROUP_LABELS[str(group)]) for group in shares.index],
            "share": shares.to_numpy(),
            "start": (ends - shares).to_numpy(),
            "end": ends.clip(upper=1.0).to_numpy(),
        }
    )


SHORT_LABELS = {"parked": later("parked"), "recipe": GROUP_LABELS["recipe"]}

MOST_BARS = 30
"""Words that have a bar: those whose share differs most."""


def attention_differences_chart(frame: pd.DataFrame) -> Any:
    """What each word got more after, in reading order: `analysis.attention.attention_differences`."""
    most = frame["share"].abs().sort_values(ascending=False, kind="stable").head(MOST_BARS).index
    kept = frame.loc[sorted(most)]
    labels = [
        say(SHORT_LABELS[word]) if not role else shown(word)
        for word, role in zip(kept["word"], kept["role"], strict=True)
    ]
    drawn = kept.assign(value=kept["share"], label=labels)
    tooltip = [
        alt.Tooltip("label:N", title=say("where")),
        alt.Tooltip("share_before:Q", title=say("before"), format=".3%"),
        alt.Tooltip("share_after:Q", title=say("after"), format=".3%"),
        alt.Tooltip("again:Q", title=say("asked again, minus before"), format="+.3%"),
    ]
    return difference_bars(drawn, say("share of the attention, after minus before"), tooltip)
