"""The lead of one word over the other by relative depth, before and after on one scale."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from llm_tracker.analysis.across_models.relative_depth import format_gap
from llm_tracker.analysis.across_models.runs import NamedRun, format_pairs
from llm_tracker.analysis.compare import SideName
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import legend, paragraph
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.charts.across_models.colours import MODEL_COLOURS
from llm_tracker.figures.across_models.views import PANELS, lead_figures
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.across_models.lead import CODE_OF_ITS_OWN, format_sentence, lead_sentence, pieces_note
from llm_tracker.wording.formats import capitalised
from llm_tracker.wording.labels import TURN_LABELS


def lead_view(runs: Sequence[NamedRun], word: str, over: str) -> None:
    """All of the view."""
    st.header(say("The lead by relative depth"), anchor=False)
    if not word or not over or word == over:
        paragraph(say("Choose two different words above: their lead over each other is drawn here."))
        return
    key = (tuple(each.run for each in runs), word, over)
    drawn = remembered("lead by depth", key, lambda: _draw(runs, word, over))
    if drawn:
        models_legend(runs)
        _panels(drawn, runs)
    with st.container():
        for said in _notes(drawn, runs, word, over):
            paragraph(said)
        paragraph(say(CODE_OF_ITS_OWN), quiet=True)
    with st.expander(say("How to read this"), key="how to read lead by depth"):
        st.markdown(say(HOW_TO_READ))


def models_legend(runs: Sequence[NamedRun]) -> None:
    """Which model each letter and colour stands for."""
    legend({f"{each.letter} {each.name}": MODEL_COLOURS[each.letter] for each in runs})


def _draw(runs: Sequence[NamedRun], word: str, over: str) -> dict[SideName, Picture]:
    return {turn: figure_picture(figure) for turn, figure in lead_figures(runs, word, over).items()}


def _panels(drawn: dict[SideName, Picture], runs: Sequence[NamedRun]) -> None:
    names = ", ".join(say("{letter} is {name}", letter=each.letter, name=each.name) for each in runs)
    is_alone = all(len(each.sides) == 1 for each in runs)
    for column, (turn, each) in zip(st.columns(len(drawn)), drawn.items(), strict=True):
        with column:
            label = say(TURN_LABELS[turn])
            if not is_alone:
                paragraph(capitalised(label), also=f"lt-{turn}")
            each.draw(say("Lead by relative depth, {turn}; {names}", turn=label, names=names))
            paragraph(each.sentence)
            export_menu(f"lead-by-depth-{turn}", each.figure)


def _notes(drawn: Collection[SideName], runs: Sequence[NamedRun], word: str, over: str) -> list[str]:
    """What is said below the charts: of answers without a line, of number formats, of the tokens that are read."""
    absent = [lead_sentence(runs, turn, word, over) for turn in PANELS if turn not in drawn]
    gaps = [format_gap(one, reference, word, over) for one, reference in format_pairs(runs)]
    formats = [format_sentence(gap) for gap in gaps if gap is not None]
    return [said for said in dict.fromkeys((*absent, *formats, pieces_note(runs, word, over))) if said]


HOW_TO_READ = later(
    "After every layer the **logit lens** (nostalgebraist, 2020) asks what the model would write if it stopped there. "
    "The **lead** is the logit of one word minus the other's: above zero this read-out prefers the first. The "
    "axis is the layer divided by how many layers the model has, so that models of other depths share it; the tooltip "
    "has the layer itself. Of words with several tokens the first in which the two differ is read. A thin dashed line "
    "is the same model merely asked again: what changes there too, no correction is needed for. The axis is depth, not "
    "time, and a model does not decide at the place where a line turns."
)
