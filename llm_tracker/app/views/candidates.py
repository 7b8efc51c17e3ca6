"""The first view: which tokens could have come next, and how likely each was, before | after."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.parts.side_labels import models_legend, of_two_models, side_labels
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.selection.copy_texts import copy_texts
from llm_tracker.figures.candidates import candidate_frames, candidates_figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import percent, shown


def candidates_view(comparison: Comparison, sides: list[Side], words: list[str], difference: bool = False) -> None:
    """All of the view, for the tokens that are looked at."""
    st.header(say("Candidates"), anchor=False)
    key = (tuple(sides), tuple(words), difference)
    drawn, tables = remembered("candidates", key, lambda: _draw(sides, words, difference))
    with st.container():
        if of_two_models(sides):
            models_legend(sides)
    drawn.draw(say("Candidates"))
    paragraph(drawn.sentence)
    copy = copy_texts(comparison, sides, "candidates", difference, words=words)
    export_menu("candidates", drawn.figure, copy)
    with st.expander(say("Table: ranks, logits and probabilities")):
        st.html(tables)
    with st.expander(say("How to read this")):
        st.markdown(
            say(
                "Before it writes a token, the model gives every token of its vocabulary a **logit**, a raw score; the "
                "softmax turns all of them into **probabilities** that add up to 100 %. Shown are the best five of "
                "each answer, the words that are followed with the rank that they have, and *everything else*: the "
                "rest of the vocabulary together. A line joins the two ranks of the same token; between two models, "
                "whose vocabularies differ, of tokens with the same text. A probability says how likely this wording "
                "is with this text in front of it. It is no measure of truth. A dot at the start of a token is a "
                "space, ↵ a line end: “·Paris” and “Paris” are two tokens. A short piece such as “L” can be the "
                "beginning of a longer word, as in “LONDON”."
            )
        )


def _draw(sides: list[Side], words: list[str], difference: bool) -> tuple[Picture, str]:
    labels, numbers = side_labels(sides), [say("rank"), say("logit"), say("probability")]
    tables = "".join(
        table_html(
            say("Candidates, {side}", side=labels[name]),
            [numbers[0], say("token"), *numbers[1:]],
            [_cells(row) for row in frame.to_dict("records")],
            numbers,
        )
        for name, frame in candidate_frames(sides, words).items()
    )
    return figure_picture(candidates_figure(sides, words, difference)), tables


def _cells(row: Mapping[Hashable, Any]) -> list[str]:
    """Rank, token, logit and probability as text; everything else has no rank and no logit."""
    if not row["rank"]:
        return ["", say("everything else"), "", percent(row["prob"])]
    return [number(row["rank"], ","), shown(row["token"]), number(row["logit"], ".1f"), percent(row["prob"])]
