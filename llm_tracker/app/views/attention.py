"""The third view: where the position that wrote the token looked, by word in reading order, before | after."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from llm_tracker.analysis.attention import PARKED, attention_groups, in_conversation
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import Head
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import legend, paragraph, plain_label, table_html
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.parts.shaded_text import shaded_texts
from llm_tracker.app.parts.side_labels import of_two_models, side_labels
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.selection.copy_texts import CopyTexts, copy_texts
from llm_tracker.app.selection.selection import chosen, unless_default, with_number
from llm_tracker.charts.palette import TURN_COLOURS
from llm_tracker.figures.attention import attention_figure, attention_shares
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import capitalised, percent, shown
from llm_tracker.wording.labels import GROUP_LABELS, side_label

MEAN = 0
"""In place of a head: the mean of all."""

Heads = dict[str, Head]
"""By side: the layer and head that are looked at."""


@st.fragment
def attention_view(comparison: Comparison, sides: list[Side], difference: bool = False) -> None:
    """All of the view, for the tokens that are looked at."""
    st.header(say("Attention by word"), anchor=False)
    heads = _choose(sides)
    key = (tuple(sides), tuple(heads.items()), difference)
    drawn = remembered("attention", key, lambda: _draw(sides, heads, difference))
    for side in sides:
        if drawn is None or side.name not in drawn.texts:
            paragraph(f"{capitalised(side_label(side))}: {_absence(side, heads[side.name][0])}")
    if drawn is not None:
        _drawing(drawn, difference, _copied(comparison, sides, heads, difference))
        with st.expander(say("Table: every word's share")):
            for column, name in zip(st.columns(len(drawn.tables)), drawn.tables, strict=True):
                column.html(drawn.tables[name])
    with st.expander(say("How to read this")):
        st.markdown(
            say(
                "When the model writes a token, each attention head of a layer spreads 100 % over all tokens so far; "
                "shown is the mean over the layer's heads, or one head. Most of it is usually **parked** on the very "
                "first token and on the template, which carry little; it is shown in grey, not hidden. The words of "
                "the conversation follow in reading order: the stronger the colour, the more this position looked at "
                "them, on one scale for all texts. A grey line under a word is its share when the model is merely "
                "asked again. A word that was looked at much need not have changed the answer, and the reverse: "
                "attention is where the model looked, not why it answered."
            )
        )


def _absence(side: Side, layer: int) -> str:
    """Why there is nothing to draw, where the answer's model has no attention in a layer."""
    if side.turn.trace.attending_layers:
        return say("no attention in layer {layer}, which carries what was read in a state.", layer=layer)
    return say(
        "this model has no attention in any layer. It carries what it read in a state; its layers are drawn above."
    )


def _copied(comparison: Comparison, sides: list[Side], heads: Heads, difference: bool) -> CopyTexts:
    """The code that gives the bars again; of two models, each has a layer and a head of its own."""
    layer, head = heads[sides[-1].name]
    own = heads[sides[0].name] if of_two_models(sides) else (None, None)
    asked = {"layer": layer, "head": head, "against_layer": own[0], "against_head": own[1]}
    return copy_texts(comparison, sides, "attention", difference, **asked)


def _drawing(drawn: _Drawn, difference: bool, copy: CopyTexts) -> None:
    """The bars of all attention with their sentence, and the texts with each word shaded."""
    drawn.whole.draw(say("Where all of the attention went"))
    paragraph(drawn.whole.sentence)
    export_menu("attention", drawn.whole.figure, copy)
    beside = [name for name in drawn.texts if name != "again"]
    for column, name in zip(st.columns(len(beside)), beside, strict=True):
        column.html(drawn.texts[name])
    with st.container():
        if "again" in drawn.texts:
            st.html(drawn.texts["again"])
    again = say("the same word, merely asked again") if "again" in drawn.texts else ""
    legend({say("the stronger the colour, the more it looked there"): TURN_COLOURS["before"]}, again, "line")


def _choose(sides: list[Side]) -> Heads:
    """One choice for all turns of a model; of two models, which have layers and heads of their own, one for each."""
    if not of_two_models(sides):
        return dict.fromkeys([str(side.name) for side in sides], _look(sides, 0))
    heads: Heads = {}
    for column, side in zip(st.columns(len(sides), vertical_alignment="bottom"), sides, strict=True):
        with column:
            heads[side.name] = _look([side], place_of(side))
    return heads


def place_of(side: Side) -> int:
    """Where the selection keeps what belongs to a side's model: first before, then after."""
    return 1 if side.name == "after" else 0


def _look(sides: list[Side], at: int) -> Head:
    """A layer of a model, and one head of it or none for their mean; `at` is the model's place in the selection."""
    trace = sides[0].turn.trace
    if not trace.attending_layers:
        return trace.n_layers, None
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        layer = _layer(sides[0], at)
    with right:
        return layer, _head(sides, layer, at)


def _layer(side: Side, at: int) -> int:
    """A layer; the view begins at the last one that has attention."""
    trace = side.turn.trace
    if trace.n_layers == 1:
        return 1
    key, last = f"attention layer of {trace.n_layers} {side.model}".strip(), trace.attending_layers[-1]
    layer = chosen(selected().layers[at], range(1, trace.n_layers + 1), last)

    def take(picked: int) -> None:
        select(layers=with_number(selected().layers, at, unless_default(picked, last)))

    choose = show_choice(key, layer, take)
    label = say("Layer, {model}", model=plain_label(side.model)) if side.model else say("Layer")
    st.slider(label, 1, trace.n_layers, layer, key=key, on_change=choose)
    return layer


def _head(sides: list[Side], layer: int, at: int) -> int | None:
    """One head of a layer, or None for the mean of all."""
    n_heads = sides[0].turn.trace.heads[layer - 1]
    by_head = all(side.step < len(side.turn.trace.attention) for side in sides)
    key = labelled_key(f"attention head of {n_heads} {by_head} {sides[0].model}".strip())
    options = range(n_heads + 1) if by_head else range(1)
    head = chosen(selected().heads[at], options, MEAN)

    def take(picked: int) -> None:
        select(heads=with_number(selected().heads, at, unless_default(picked, MEAN)))

    choose = show_choice(key, head, take)
    st.selectbox(
        head_label(sides[0].model),
        options,
        options.index(head),
        format_func=lambda each: say("mean of all {n}", n=n_heads) if each == MEAN else say("head {head}", head=each),
        key=key,
        on_change=choose,
        help=None if by_head else say("This answer is long: of its later tokens only the mean over heads was kept."),
    )
    return head or None


def head_label(model: str) -> str:
    """What a field for a head is called; `model` where there are two."""
    return say("Head, {model}", model=plain_label(model)) if model else say("Head")


def _share_table(called: str, frame: pd.DataFrame) -> str:
    """What is parked and what the worked examples got, each in one row, then the conversation's own words."""
    groups = attention_groups(frame)
    rows = [(say(GROUP_LABELS[group]), float(groups[group])) for group in (PARKED, "recipe") if group in groups]
    own = frame[in_conversation(frame)]
    rows += [
        (shown(str(word).strip()) or "␣", float(share)) for word, share in zip(own["word"], own["share"], strict=True)
    ]
    cells = [[word, percent(share)] for word, share in rows]
    columns = [say("word"), say("share")]
    return table_html(say("Attention, {side}", side=called), columns, cells, columns[1:], [share for _, share in rows])


@dataclass(frozen=True)
class _Drawn:
    """All of the view, ready to be drawn; texts and tables by side."""

    whole: Picture
    texts: dict[str, str]
    tables: dict[str, str]


def _draw(sides: list[Side], heads: Heads, difference: bool) -> _Drawn | None:
    """The view; None where no side has attention in its layer."""
    shares, labels = attention_shares(sides, heads), side_labels(sides)
    if not shares:
        return None
    return _Drawn(
        whole=figure_picture(attention_figure(sides, heads, difference and len(shares) > 1)),
        texts=shaded_texts(shares, labels),
        tables={name: _share_table(labels[name], frame) for name, frame in shares.items()},
    )
