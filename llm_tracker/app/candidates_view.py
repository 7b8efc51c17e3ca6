"""The first view: which tokens could have come next, and how likely each was, before | after."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from llm_tracker.analysis.candidates import candidates
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.reading import candidates_sentence
from llm_tracker.analysis.wording import percent, shown
from llm_tracker.app.downloads import csv_button
from llm_tracker.app.html import legend, paragraph, table_html
from llm_tracker.app.remembered import Picture, picture, remembered
from llm_tracker.charts.candidates import candidates_chart
from llm_tracker.charts.palette import TURN_LABELS

NUMBERS = ("rank", "logit", "probability")
N_SHOWN = 5
N_AGAIN = 10
"""Candidates of the control that are looked up for its thin mark."""


def candidates_view(sides: list[Side], words: list[str]) -> None:
    """All of the view, for the tokens that are looked at."""
    st.header("Candidates", anchor=False)
    drawn, tables = remembered("candidates", (tuple(sides), tuple(words)), lambda: _draw(sides, words))
    with st.container():
        if any(side.name == "again" for side in sides):
            legend({}, again="the same token, merely asked again")
    drawn.draw("Candidates")
    paragraph(drawn.sentence)
    with st.expander("Table: ranks, logits and probabilities"):
        st.html(tables)
        csv_button("candidates", lambda: _frames(sides, words))
    with st.expander("How to read this"):
        st.markdown(
            "Before it writes a token, the model gives every token of its vocabulary a **logit**, a raw score; the "
            "softmax turns all of them into **probabilities** that add up to 100 %. Shown are the best five of each "
            "answer, the words that are followed with the rank that they have, and *everything else*: the rest of the "
            "vocabulary together. A line joins the two ranks of the same token. A probability says how likely this "
            "wording is with this text in front of it. It is no measure of truth. A dot at the start of a token is a "
            "space, ↵ a line end: “·Paris” and “Paris” are two tokens. A short piece such as “L” can be the beginning "
            "of a longer word, as in “LONDON”."
        )


def _frames(sides: list[Side], words: list[str]) -> dict[str, pd.DataFrame]:
    """The candidates of each side by its name."""
    counts = {"before": N_SHOWN, "after": N_SHOWN, "again": N_AGAIN}
    return {side.name: candidates(side.turn.trace, side.step, counts[side.name], words) for side in sides}


def _draw(sides: list[Side], words: list[str]) -> tuple[Picture, str]:
    frames = _frames(sides, words)
    answers = {name: frame for name, frame in frames.items() if name != "again"}
    followed = frozenset(lens.token_id for side in sides for word in words if (lens := side.watched(word)))
    chart = candidates_chart(answers, frames.get("again"), followed)
    tables = "".join(
        table_html(
            f"Candidates, {TURN_LABELS[name]}",
            ["rank", "token", "logit", "probability"],
            [_cells(row) for row in frame.to_dict("records")],
            NUMBERS,
        )
        for name, frame in frames.items()
    )
    return picture(chart, candidates_sentence(sides)), tables


def _cells(row: Mapping[Hashable, Any]) -> list[str]:
    """Rank, token, logit and probability as text; everything else has no rank and no logit."""
    if not row["rank"]:
        return ["", row["token"], "", percent(row["prob"])]
    return [f"{row['rank']:,}", shown(row["token"]), f"{row['logit']:.1f}", percent(row["prob"])]
