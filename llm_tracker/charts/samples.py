"""How often each answer came when the model was asked several times, each share with its interval."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.charts.base import framed, tooltip_of
from llm_tracker.charts.palette import BEFORE, QUIET, RECIPE
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown

ROW_PIXELS = 30
AXIS_PIXELS = 60
MOST_ROWS = 12
"""Answers that have a bar of their own; the greedy one always has."""

MOST_CHARACTERS = 28


def samples_chart(frame: pd.DataFrame) -> Any:
    """A bar an answer with its interval: `analysis.sampled_answers.answer_distribution`.

    The greedy answer's bar is in the colour of answers, the others are grey.
    """
    drawn = _rows(frame)
    order = alt.Y("place:O", title=None, axis=None)
    share = alt.X(
        "share:Q", title=say("share of the sampled answers"), scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")
    )
    tooltip = [
        alt.Tooltip("label:N", title=say("answer")),
        alt.Tooltip("n:Q", title=say("times")),
        tooltip_of("share:Q", say("share"), format=".1%"),
        alt.Tooltip("low:Q", title=say("95 % interval from"), format=".1%"),
        alt.Tooltip("high:Q", title=say("to", context="end of an interval"), format=".1%"),
    ]
    base = alt.Chart(drawn).encode(y=order)
    bars = base.mark_bar(height=9, yOffset=8).encode(x=share, color=alt.Color("colour:N", scale=None), tooltip=tooltip)
    spread = base.mark_rule(color=QUIET, strokeWidth=1.5, yOffset=8).encode(
        x=alt.X("low:Q"), x2=alt.X2("high:Q"), tooltip=tooltip
    )
    names = base.mark_text(align="left", dy=-6, dx=1, fontSize=12).encode(x=alt.value(0), text=alt.Text("label:N"))
    return framed(alt.layer(bars, spread, names), ROW_PIXELS * len(drawn) + AXIS_PIXELS)


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The commonest answers and the greedy one, with what stands above their bars."""
    kept = frame.head(MOST_ROWS)
    greedy = frame[frame["is_greedy"]]
    if len(greedy) and greedy.index[0] not in kept.index:
        kept = pd.concat([kept.head(MOST_ROWS - 1), greedy])
    labels = [
        f"{_named(answer, greedy)}  {number(n, ',')}"
        for answer, greedy, n in zip(kept["answer"], kept["is_greedy"], kept["n"], strict=True)
    ]
    colours = [BEFORE if greedy else RECIPE for greedy in kept["is_greedy"]]
    return kept.assign(place=range(len(kept)), label=labels, colour=colours)


def _named(answer: str, is_greedy: bool) -> str:
    return say("{answer} (the greedy answer)", answer=_short(answer)) if is_greedy else _short(answer)


def _short(answer: str) -> str:
    text = shown(answer) or say("(an empty answer)")
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
