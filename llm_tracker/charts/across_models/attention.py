"""Attention, model by model: all of it as one bar of 100 %, and the reader's words side by side on one scale."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.across_models.colours import model_colour
from llm_tracker.charts.attention import AXIS_HEIGHT, LEGEND_ROW, ROW_HEIGHT
from llm_tracker.charts.base import LEGEND_COLUMNS, framed
from llm_tracker.charts.palette import GROUP_COLOURS
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown
from llm_tracker.wording.labels import GROUP_LABELS

BAR = 20
BAND = 10
"""Pixels of a model's bar among those of one word."""

GAP = 9
"""Pixels between two words."""

TITLE_PIXELS = 24
"""Of the axis' title, and below the legend: without it the bars of two models lie on each other where it is narrow."""

LEGEND_PIXELS = 50
NAME_PIXELS = 150


def groups_chart(frame: pd.DataFrame) -> Any:
    """A bar a model, parked first: `analysis.across_models.shared_words.groups_by_model`."""
    present = [group for group in GROUP_COLOURS if group in set(frame["group"])]
    said = {group: say(GROUP_LABELS[group]) for group in present}
    ends = frame.groupby("model")["share"].cumsum()
    drawn = frame.assign(start=ends - frame["share"], end=ends.clip(upper=1.0), meaning=frame["group"].map(said))
    scale = alt.Scale(domain=list(said.values()), range=[GROUP_COLOURS[group] for group in present])
    legend = alt.Legend(orient="top", title=None, symbolType="square", columns=LEGEND_COLUMNS, labelLimit=260)
    bars = alt.Chart(drawn).encode(
        x=alt.X(
            "start:Q", title=say("share of the attention"), scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")
        ),
        x2=alt.X2("end:Q"),
        y=alt.Y("model:N", title=None, axis=alt.Axis(ticks=False, domain=False)),
        color=alt.Color("meaning:N", legend=legend, scale=scale),
        tooltip=[
            alt.Tooltip("model:N", title=" "),
            alt.Tooltip("name:N", title=say("model")),
            alt.Tooltip("meaning:N", title=say("where")),
            alt.Tooltip("share:Q", title=say("share"), format=".4%"),
        ],
    )
    height = ROW_HEIGHT * drawn["model"].nunique() + AXIS_HEIGHT + TITLE_PIXELS + LEGEND_ROW * len(present)
    return framed(alt.layer(bars.mark_bar(height=BAR)), height)


def words_chart(frame: pd.DataFrame) -> Any:
    """A bar a model for each of the reader's words: `analysis.across_models.shared_words.words_by_model`.

    The names stand left of all bars: marks, not an axis, whose texts Vega would read as code.
    """
    letters = sorted(set(frame["model"]))
    n_rows = frame["place"].nunique()
    drawn = frame.assign(
        label=[
            shown(word) if role == "user" else f"({say(word)})"
            for word, role in zip(frame["word"], frame["role"], strict=True)
        ]
    )
    height = n_rows * (BAND * len(letters) + GAP)
    most = float(drawn["share"].max()) if len(drawn) else 0.0
    scale = alt.Scale(domain=[0, most or 1.0], nice=True)
    axis = alt.Axis(format=".2~%", tickCount=5)
    x = alt.X("share:Q", title=say("share of the attention"), scale=scale, axis=axis)
    inner = GAP / (BAND * len(letters) + GAP)
    y = alt.Y("place:O", title=None, axis=None, scale=alt.Scale(paddingInner=inner, paddingOuter=inner / 2))
    offset = alt.YOffset("model:N", sort=letters)
    tooltip = [
        alt.Tooltip("label:N", title=say("word")),
        alt.Tooltip("model:N", title=" "),
        alt.Tooltip("name:N", title=say("model")),
        alt.Tooltip("share:Q", title=say("share"), format=".3%"),
    ]
    base = alt.Chart(drawn).encode(x=x, y=y, yOffset=offset, color=model_colour(letters))
    ends = base.mark_text(align="left", dx=3, fontSize=9).encode(text=alt.Text("model:N"))
    names = alt.Chart(drawn.drop_duplicates("place")).mark_text(align="right", dx=-6, fontSize=12, limit=NAME_PIXELS)
    layers = [
        base.mark_bar().encode(tooltip=tooltip),
        *([ends] if len(letters) > 1 else []),
        names.encode(x=alt.value(0), y=y, text=alt.Text("label:N")),
    ]
    return framed(alt.layer(*layers), height + LEGEND_PIXELS)
