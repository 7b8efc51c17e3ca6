"""Where each model looked: all of its attention, and the reader's words side by side on one scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from llm_tracker.analysis.across_models.runs import NamedRun
from llm_tracker.analysis.compare import SideName
from llm_tracker.app.compare.lead import models_legend
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.selection.segments import segments
from llm_tracker.figures.across_models.views import groups_figure, words_figure
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.across_models.attention import no_attention

TURNS: dict[SideName, str] = {"after": later("after the correction"), "before": later("before it")}


def attention_view(runs: Sequence[NamedRun]) -> None:
    """All of the view, for one answer of each model."""
    st.header(say("Where each looked"), anchor=False)
    turn: SideName = "before"
    if any(len(each.sides) > 1 for each in runs):
        turn = segments("shown", say("Of which answer"), {each: say(label) for each, label in TURNS.items()})
    models_legend(runs)
    _draw("attention-groups", groups_figure, runs, turn)
    _draw("attention-words", words_figure, runs, turn)
    without = [each.letter for each in runs if not each.run.session.turns[-1].trace.attending_layers]
    with st.container():
        if said := no_attention(without):
            paragraph(said)
    with st.expander(say("How to read this"), key="how to read attention by model"):
        st.markdown(say(HOW_TO_READ))


def _draw(
    name: str, make: Callable[[Sequence[NamedRun], SideName], Figure | None], runs: Sequence[NamedRun], turn: SideName
) -> None:
    """One chart with its sentence; nothing where no model has attention."""

    def drawn() -> Picture | None:
        figure = make(runs, turn)
        return None if figure is None else figure_picture(figure)

    picture = remembered(f"{name} by model", (tuple(each.run for each in runs), turn), drawn)
    if picture is not None and picture.figure is not None:
        picture.draw(picture.figure.title)
        paragraph(picture.sentence)
        export_menu(f"{name}-{turn}", picture.figure)


HOW_TO_READ = later(
    "The place that writes the first token of the answer spreads 100 % over all tokens so far, in each attention head; "
    "shown is the mean over the heads of each model's last layer that has attention. Most is **parked** on the very "
    "first token and on the template's marks, which carry little. The bars below are your words, the same for "
    "every model however it cuts them; what stands in brackets are words of each model's own. How much a model parks "
    "differs, so compare which words stand out in each rather than how long two bars are. A word that was looked at "
    "need not have changed the answer."
)
