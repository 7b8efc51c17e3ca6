"""The Attention page: every head in one cell, the heads that look at chosen words, and one head opened."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import count_parked
from llm_tracker.app.attention.head_choice import focus_choice, head_choice, named_words
from llm_tracker.app.attention.heads import grids_view, ranked_view
from llm_tracker.app.attention.pattern import patterns_view
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.arrangement import arrangement, drawn_sides
from llm_tracker.app.selection.comparison import Comparison, compare_at
from llm_tracker.app.selection.segments import segments
from llm_tracker.app.selection.selection import Arrangement
from llm_tracker.app.views.explored import explored
from llm_tracker.app.views.missing_work import background_status
from llm_tracker.app.views.on_demand import on_demand
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.on_demand import read_values, values_of
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.rereading.found import ValueWeights
from llm_tracker.wording.heads import MEASURE_LABELS, NOT_A_CAUSE, heads_not_kept, parked_count
from llm_tracker.wording.labels import side_label


def attention_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    explored(
        workspace,
        say("Attention"),
        say("Which heads looked where, when the answer was written?"),
        partial(_page, engine, workspace),
    )


def _page(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    with st.container():
        background_status(engine, workspace, comparison)
    shown = arrangement(comparison, same_twice=False, has_control=False)
    with st.container():
        compare_at(comparison)
    sides = [side for side in drawn_sides(comparison, shown) if side.turn.trace.attending_layers]
    if not sides:
        paragraph(say("This model has no attention in any layer: it carries what it read in a state. See its layers."))
        return
    paragraph(say(NOT_A_CAUSE))
    label = say("Which words did change the answer: see Correction")
    st.page_link(CAUSES_PAGE, label=label, query_params={"s": workspace.key})
    if unkept := [side for side in sides if side.step >= len(side.turn.trace.attention)]:
        paragraph(heads_not_kept(len(unkept[0].turn.trace.attention)))
        return
    _heads(engine, workspace, comparison, sides, shown)


def _heads(engine: Engine, workspace: Workspace, comparison: Comparison, sides: list[Side], shown: Arrangement) -> None:
    """The grid, the heads that look at the chosen words, and one head opened."""
    st.header(say("Every head of every layer"), anchor=False)
    measure = segments("cells", say("A cell says"), {name: say(label) for name, label in MEASURE_LABELS.items()})
    words = focus_choice(sides, comparison) if measure == "words" else named_words(sides, comparison)
    weights = _weights(engine, workspace, comparison, sides)
    heads = head_choice(sides, words)
    grids_view(comparison, sides, shown, measure, words, weights, heads)
    paragraph(" ".join(dict.fromkeys(_parked(side) for side in sides[-1:])), quiet=True)
    ranked_view(sides, words, weights)
    with st.expander(say("How to read this")):
        st.markdown(say(HOW_TO_READ))
    st.header(say("One head opened"), anchor=False)
    patterns_view(engine, workspace, comparison, sides, heads, shown == "difference")


def _parked(side: Side) -> str:
    return parked_count(*count_parked(side.turn, side.step), side.turn.trace.has_sinks)


def _weights(
    engine: Engine, workspace: Workspace, comparison: Comparison, sides: list[Side]
) -> dict[str, ValueWeights]:
    """What attention carries, where it is to be weighed so and was read."""
    options = {"raw": say("as it is"), "weighed": say("weighed by what it carries")}
    now = "weighed" if selected().weighed else "raw"
    key = labelled_key("attention weighed")
    choose = show_choice(key, now, lambda picked: select(weighed=picked == "weighed"))
    st.segmented_control(
        say("Attention"),
        list(options),
        default=now,
        format_func=options.__getitem__,
        key=key,
        on_change=choose,
        required=True,
        help=say(
            "Weighed: each share is the length of the vector that the head adds from there (its attention times the "
            "value there, through the output projection) over the sum of all such lengths (Kobayashi et al., 2020). A "
            "position with a small value carries little, however much is looked at it."
        ),
    )
    if now == "raw":
        return {}
    refs = {side.name: ref for side, ref in comparison.answers}
    found: dict[str, ValueWeights] = {}
    for side in sides:
        subject = values_of(refs[side.name], side.step)
        label = say("Read the values, {side}", side=side_label(side))
        weights = on_demand(
            engine, workspace, subject, read_values, label, say("The model reads the text once more for it.")
        )
        if weights is not None:
            found[side.name] = weights
    if len(found) < len(sides):
        paragraph(say("Until both texts are read, the cells show attention as it is."), quiet=True)
        return {}
    return found


CAUSES_PAGE = "pages/4_Correction.py"

HOW_TO_READ = later(
    "Each cell is one attention head at the token that is looked at: when it was written, the head spread 100 % over "
    "all tokens in front of it. The cell says how much of that went to the chosen words, or was **parked** on the "
    "very first token and the template's marks, or how spread out it was (**entropy**), or the largest share of one "
    "token that is not parked. Means over heads hide single heads that do something of their own, which is why all of "
    "them are here. In the opened head a row is a position that looks, a column one that is looked at; by word, to a "
    "word is the sum over its tokens, from a word the mean."
)
