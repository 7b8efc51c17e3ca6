"""Words and leading tokens through the layers: one chart a side, on one scale, or what the one after has more."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.curves import CurveMeasure, curves_frame
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.selection.copy_texts import copy_texts
from llm_tracker.app.selection.segments import segments
from llm_tracker.app.selection.selection import Arrangement
from llm_tracker.charts.curves import limits_of
from llm_tracker.figures.curves import N_LEADING, curves_difference_figure, curves_figure
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.curves import ECHO
from llm_tracker.wording.formats import capitalised
from llm_tracker.wording.labels import side_label

MEASURES: dict[CurveMeasure, str] = {"prob": later("probability"), "logit": later("logit"), "rank": later("rank")}


@st.fragment
def curves_view(comparison: Comparison, sides: list[Side], words: list[str], shown: Arrangement) -> None:
    """All of it: the control stands beside the answers where both are drawn."""
    st.header(say("Words through the layers"), anchor=False)
    if not all(side.step in side.turn.trace.lens for side in sides):
        paragraph(say("This token's layers have not been read yet."), quiet=True)
        return
    measure = segments("curve", say("What the curves show"), {name: say(label) for name, label in MEASURES.items()})
    if shown == "difference":
        _difference(comparison, sides, words, measure)
        return
    _beside(comparison, sides, words, measure)
    colours = say(
        "Coloured: the words to follow, and what was written. Grey: every token that ranks first at some layer. The "
        "strip at the bottom is darker where the read-out is farther from the model's own prediction (KL): there a "
        "line says little."
    )
    paragraph(f"{colours} {say(ECHO)}", quiet=True)
    with st.expander(say("How to read this")):
        st.markdown(
            say(
                "The **logit lens** (nostalgebraist, 2020) asks after every layer what the model would write if it "
                "stopped there. *Stays from layer N on* is where the likeliest token becomes the one that the last "
                "layer has, and stays so; it is where this read-out settles, not where the model decided. **KL** is "
                "the relative entropy of the last layer's prediction to the layer's, in nats (Belrose et al., 2023): 0 "
                "means that the lens reads what the model will write, 10 that it reads something else altogether. Of a "
                "word with several tokens its first is read."
            )
        )


def _beside(comparison: Comparison, sides: list[Side], words: list[str], measure: CurveMeasure) -> None:
    limits, pictures = remembered("curves", (tuple(sides), tuple(words), measure), lambda: _draw(sides, words, measure))
    columns = st.columns(len(sides)) if len(sides) < 3 else [*st.columns(2), st.container()]
    for column, side, each in zip(columns, sides, pictures, strict=True):
        with column:
            paragraph(capitalised(side_label(side)), also=f"lt-{side.name}")
            each.draw(say("Words through the layers, {side}", side=side_label(side)))
            paragraph(each.sentence)
            copy = copy_texts(comparison, [side], "curves", words=words, measure=measure, limits=limits)
            export_menu(f"curves-{side.name}", each.figure, copy)


def _draw(
    sides: list[Side], words: list[str], measure: CurveMeasure
) -> tuple[tuple[float, float] | None, list[Picture]]:
    """The curves of all sides on one scale, with its ends where there are several."""
    whole = pd.concat([curves_frame(side, words, N_LEADING) for side in sides])
    limits = limits_of(whole, measure) if len(sides) > 1 else None
    return limits, [figure_picture(curves_figure(side, words, measure, limits=limits)) for side in sides]


def _draw_difference(sides: list[Side], words: list[str], measure: CurveMeasure) -> Picture:
    return figure_picture(curves_difference_figure(sides, words, measure))


def _difference(comparison: Comparison, sides: list[Side], words: list[str], measure: CurveMeasure) -> None:
    drawn = remembered(
        "curves difference",
        (tuple(sides), tuple(words), measure),
        lambda: _draw_difference(sides, words, measure),
    )
    drawn.draw(say("Words through the layers, after minus before"))
    paragraph(drawn.sentence)
    copy = copy_texts(comparison, sides, "curves", True, words=words, measure=measure)
    export_menu("curves-difference", drawn.figure, copy)
