"""The first view: which tokens could have come next, and how likely each was, before | after."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from llm_tracker.analysis.candidates import candidates
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.shared_tokens import with_shared_ids
from llm_tracker.app.parts.downloads import csv_button
from llm_tracker.app.parts.html import legend, paragraph, table_html
from llm_tracker.app.parts.pictures import Picture, picture, remembered
from llm_tracker.app.parts.side_labels import models_legend, of_two_models, side_labels
from llm_tracker.charts.candidates import candidates_chart
from llm_tracker.wording.candidates import candidates_sentence
from llm_tracker.wording.formats import percent, shown

NUMBERS = ("rank", "logit", "probability")
N_SHOWN = 5
N_AGAIN = 10
"""Candidates of the control that are looked up for its thin mark."""


def candidates_view(sides: list[Side], words: list[str]) -> None:
    """All of the view, for the tokens that are looked at."""
    st.header("Candidates", anchor=False)
    drawn, tables = remembered("candidates", (tuple(sides), tuple(words)), lambda: _draw(sides, words))
    with st.container():
        if of_two_models(sides):
            models_legend(sides)
        elif any(side.name == "again" for side in sides):
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
            "vocabulary together. A line joins the two ranks of the same token; between two models, whose vocabularies "
            "differ, of tokens with the same text. A probability says how likely this "
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
    followed = {lens.token_id for side in sides for word in words if (lens := side.watched(word))}
    if of_two_models(sides):
        answers, followed = _joined_by_text(sides, answers, words)
    chart = candidates_chart(answers, frames.get("again"), frozenset(followed))
    labels = side_labels(sides)
    tables = "".join(
        table_html(
            f"Candidates, {labels[name]}",
            ["rank", "token", "logit", "probability"],
            [_cells(row) for row in frame.to_dict("records")],
            NUMBERS,
        )
        for name, frame in frames.items()
    )
    return picture(chart, candidates_sentence(sides)), tables


def _joined_by_text(
    sides: list[Side], frames: dict[str, pd.DataFrame], words: list[str]
) -> tuple[dict[str, pd.DataFrame], set[int]]:
    """Two models' frames with ids that mean the same in both, and of the followed words these ids."""
    one, other = ({word: lens.token_id for word in words if (lens := side.watched(word))} for side in sides)
    shared = with_shared_ids(frames, {other[word]: one[word] for word in words if word in one and word in other})
    followed = set(one.values())
    ids = zip(frames[sides[1].name]["token_id"], shared[sides[1].name]["token_id"], strict=True)
    return shared, followed | {int(new) for old, new in ids if old in other.values()}


def _cells(row: Mapping[Hashable, Any]) -> list[str]:
    """Rank, token, logit and probability as text; everything else has no rank and no logit."""
    if not row["rank"]:
        return ["", row["token"], "", percent(row["prob"])]
    return [f"{row['rank']:,}", shown(row["token"]), f"{row['logit']:.1f}", percent(row["prob"])]
