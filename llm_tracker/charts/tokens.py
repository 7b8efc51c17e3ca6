"""The tokens of an answer, one bar each: how likely it was, or how spread out the prediction was."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.analysis.tokens import TokenMeasure
from llm_tracker.charts.base import framed
from llm_tracker.charts.heat import label_room, shortened
from llm_tracker.charts.palette import AFTER, BEFORE, QUIET, TURN_COLOURS
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import shown
from llm_tracker.wording.labels import TURN_LABELS

TITLES: dict[TokenMeasure, str] = {
    "prob": later("probability of the token"),
    "entropy_nats": later("entropy of the prediction (nats)"),
}
DIFFERENCE_TITLES: dict[TokenMeasure, str] = {
    "prob": later("probability: after − before"),
    "entropy_nats": later("nats: after − before"),
}
HEIGHT = 170


def tokens_chart(frame: pd.DataFrame, measure: TokenMeasure) -> Any:
    """A bar a token, the answers' bars beside each other: `analysis.tokens.answers_frame`.

    The tokens stand below in the colour of their answer.
    """
    turns = [turn for turn in TURN_COLOURS if turn in set(frame["turn"])]
    names = [say(TURN_LABELS[turn]) for turn in frame["turn"]]
    drawn = frame.assign(value=frame[measure], name=names, text=frame["token"].map(shown))
    drawn = drawn.assign(rival=frame["rival"].map(shown))
    x = alt.X("number:O", title=None, axis=None)
    offset = alt.XOffset("turn:N", scale=alt.Scale(domain=turns))
    colour = alt.Color("turn:N", legend=None, scale=_colours(turns))
    tooltip = [
        alt.Tooltip("name:N", title=say("answer")),
        alt.Tooltip("text:N", title=say("token")),
        alt.Tooltip("prob:Q", title=say("probability"), format=".4f"),
        alt.Tooltip("entropy_nats:Q", title=say("entropy, nats"), format=".3f"),
        alt.Tooltip("rival:N", title=say("next best")),
        alt.Tooltip("rival_prob:Q", title=say("with"), format=".4f"),
    ]
    base = alt.Chart(drawn).encode(x=x, xOffset=offset, color=colour)
    bars = base.mark_bar().encode(y=_y(measure), tooltip=tooltip)
    return _with_texts(alt.layer(bars, *_texts(drawn, turns)), drawn)


def token_differences_chart(frame: pd.DataFrame, measure: TokenMeasure) -> Any:
    """A bar a place in the answers, up where the token after has more: `analysis.tokens.differences_frame`."""
    drawn = pd.concat(
        [
            frame.assign(
                turn=turn, text=frame[f"token_{turn}"].map(shown), token=frame[f"token_{turn}"], value=frame[measure]
            )
            for turn in ("before", "after")
        ]
    )
    x = alt.X("number:O", title=None, axis=None)
    largest = float(frame[measure].abs().max()) if frame[measure].notna().any() else 1.0
    y = alt.Y(
        "value:Q",
        title=say(DIFFERENCE_TITLES[measure]),
        scale=alt.Scale(domain=[-largest or -1, largest or 1]),
        axis=alt.Axis(format="+%" if measure == "prob" else "+.2f", titleLimit=HEIGHT),
    )
    colour = alt.condition(alt.datum.value > 0, alt.value(AFTER), alt.value(BEFORE))
    one = drawn[drawn["turn"] == "after"]
    one = one.assign(**{name: one[name].map(shown) for name in ("token_before", "token_after")})
    tooltip = [
        alt.Tooltip("token_before:N", title=say("before")),
        alt.Tooltip("token_after:N", title=say("after")),
        alt.Tooltip("value:Q", title=say("after minus before"), format="+.4f"),
    ]
    bars = alt.Chart(one).mark_bar().encode(x=x, y=y, color=colour, tooltip=tooltip)
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=QUIET).encode(y=alt.Y("zero:Q"))
    return _with_texts(alt.layer(bars, zero, *_texts(drawn, ["before", "after"])), drawn)


def _y(measure: TokenMeasure) -> alt.Y:
    scale = alt.Scale(domain=[0, 1]) if measure == "prob" else alt.Scale(domainMin=0)
    axis = alt.Axis(format="%" if measure == "prob" else ".1f", tickCount=4, titleLimit=HEIGHT)
    return alt.Y("value:Q", title=say(TITLES[measure]), scale=scale, axis=axis)


def _colours(turns: list[str]) -> alt.Scale:
    return alt.Scale(domain=turns, range=[TURN_COLOURS[turn] for turn in turns])


def _texts(drawn: pd.DataFrame, turns: list[str]) -> list[Any]:
    """The tokens below, upright, each answer's in its colour and in a row of its own."""
    room, rows = label_room(drawn["text"].map(shortened)), []
    for at, turn in enumerate(turns):
        own = drawn[(drawn["turn"] == turn) & (drawn["text"] != "")]
        labels = alt.Chart(own.assign(text=own["text"].map(shortened)))
        text = labels.mark_text(angle=270, align="right", baseline="middle", dx=-6 - at * room, fontSize=11)
        colour = alt.Color("turn:N", legend=None, scale=_colours(turns))
        rows.append(
            text.encode(x=alt.X("number:O", axis=None), y=alt.value("height"), text=alt.Text("text:N"), color=colour)
        )
    return rows


def _with_texts(chart: Any, drawn: pd.DataFrame) -> Any:
    room = label_room(drawn["text"].map(shortened)) * drawn["turn"].nunique()
    return framed(chart, HEIGHT + room, padding={"left": 0, "top": 5, "right": 5, "bottom": 5})
