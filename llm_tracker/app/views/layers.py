"""The second view: what each layer's read-out says, by the logit lens, all turns in one chart."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from llm_tracker.analysis.candidates import rival_words
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.layers import LayerMeasure, by_layer
from llm_tracker.analysis.lens.logit_lens import logit_lens
from llm_tracker.app.parts.downloads import csv_button
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.parts.side_labels import models_legend, of_two_models
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.selection.copy_texts import copy_texts
from llm_tracker.app.selection.selection import chosen, unless_default
from llm_tracker.figures.layers import layers_figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import capitalised, listed, percent, quoted, shown
from llm_tracker.wording.labels import side_label
from llm_tracker.wording.layers import unlike_tokens

MEASURES: dict[LayerMeasure, str] = {"lead": later("lead"), "prob": later("probability"), "rank": later("rank")}

OWN = ""
"""In place of a followed word: the token that each answer wrote itself."""


@st.fragment
def layers_view(comparison: Comparison, sides: list[Side], words: list[str], difference: bool = False) -> None:
    """All of the view, for the tokens that are looked at and the words that are followed."""
    st.header(say("Layer by layer"), anchor=False)
    read = [word for word in words if all(side.watched(word) is not None for side in sides)]
    newest = _newest(sides, words, read)
    read += _rival(sides, words) if read else []
    pairs = [(one, other) for one in read for other in read if _has_lead(sides, one, other)]
    _look_at_newest(newest, pairs)
    if all(side.step in side.turn.trace.lens for side in sides) and not difference:
        read.append(OWN)
    if read:
        _chart(comparison, sides, read, pairs, difference)
    else:
        paragraph(say("This token's layers have not been read yet."), quiet=True)
    with st.expander(say("Table: every layer's probability of the answer, and its three likeliest tokens")):
        whole = [side for side in sides if side.step in side.turn.trace.lens]
        if whole:
            st.html(remembered("layer tables", tuple(whole), lambda: "".join(map(_layer_table, whole))))
            csv_button("lens", lambda: {side.name: logit_lens(side.turn.trace, side.step) for side in whole})
    with st.expander(say("How to read this")):
        st.markdown(
            say(
                "The **logit lens** (nostalgebraist, 2020) asks after every layer: if the model stopped here, what "
                "would it write? The last layer's read-out is the model's own prediction. The **lead** is the logit of "
                "one word minus the other's: above zero this read-out prefers the first. Where a word has several "
                "tokens, its first token is read; of two that begin with the same token, the lead is that of the first "
                "token in which they differ, behind what they share. Early layers write in a code of their own, so a "
                "low probability there does not mean that nothing is known; and *from layer 24 on, this read-out "
                "prefers Paris* does not say that the model decided there. The axis is depth, not time."
            )
        )


def _rival(sides: list[Side], words: list[str]) -> list[str]:
    """Of one answer alone, the strongest other candidate, over which its word leads."""
    if len(sides) > 1:
        return []
    rivals = rival_words(sides[0].turn.trace, sides[0].step, words)
    return [word for word in rivals if sides[0].watched(word) is not None][:1]


def _has_lead(sides: list[Side], one: str, other: str) -> bool:
    answers = [side for side in sides if side.name != "again"]
    return one != other and all(by_layer(side, "lead", one, other) is not None for side in answers)


def _name(word: str) -> str:
    return say("its own token") if word == OWN else shown(word)


def _chart(
    comparison: Comparison, sides: list[Side], read: list[str], pairs: list[tuple[str, str]], difference: bool
) -> None:
    measures = [measure for measure in MEASURES if measure != "lead" or pairs]
    choice, first, second = st.columns([2.2, 1.4, 1.4], vertical_alignment="top")
    with choice:
        measure = _measure(measures)
    over = None
    if measure == "lead":
        word, over = _lead(first, second, pairs)
    else:
        word = chosen(selected().word, read, read[0])
        _word_box(first, later("Word"), read, word, lambda picked: select(word=picked))
    followed = None if word == OWN else word
    key = (tuple(sides), measure, followed, over, difference)
    drawn = remembered("layers", key, lambda: _draw(sides, measure, followed, over, difference))
    if of_two_models(sides):
        models_legend(sides)
    drawn.draw(say("Layers"))
    paragraph(drawn.sentence)
    copied = {"words": [] if followed is None else [followed], "measure": measure, "over": over}
    export_menu("layers", drawn.figure, copy_texts(comparison, sides, "layers", difference, **copied))
    with st.container():
        if of_two_models(sides):
            paragraph(_models_note(sides, measure), quiet=True)
        else:
            paragraph(unlike_tokens(sides, [each for each in (followed, over) if each]), quiet=True)
    paragraph(
        say("A read-out, not a decision: early layers use a code of their own, and small leads there say little."), True
    )


def _measure(measures: list[LayerMeasure]) -> LayerMeasure:
    """What the lines show: the lead, unless something else is chosen that can be shown."""
    key = labelled_key(f"layers measure of {len(measures)}")
    measure = chosen(selected().measure, measures, measures[0])
    choose = show_choice(key, measure, lambda picked: select(measure=unless_default(picked, measures[0])))
    st.segmented_control(
        say("What the lines show"),
        measures,
        default=measure,
        format_func=lambda name: say(MEASURES[name]),
        key=key,
        on_change=choose,
        required=True,
    )
    return measure


def _lead(first: DeltaGenerator, second: DeltaGenerator, pairs: list[tuple[str, str]]) -> tuple[str, str]:
    """A word and the one over which it leads, to be chosen."""
    words = list(dict.fromkeys(one for one, _ in pairs))
    word, over = _chosen_pair(pairs)
    _word_box(first, later("Lead of"), words, word, lambda picked: select(word=picked, over=over))
    _word_box(second, later("over"), _others(pairs, word), over, lambda picked: select(over=picked))
    return word, over


def _chosen_pair(pairs: list[tuple[str, str]]) -> tuple[str, str]:
    """The pair that is selected; where it cannot be shown, the first that has the selected word, or the first."""
    words = [one for one, _ in pairs]
    word = chosen(selected().word, words, words[0])
    others = _others(pairs, word)
    return word, chosen(selected().over, others, others[0])


def _others(pairs: list[tuple[str, str]], word: str) -> list[str]:
    return [other for one, other in pairs if one == word]


def _word_box(column: DeltaGenerator, label: str, words: list[str], word: str, take: Callable[[str], None]) -> None:
    """A word to be chosen; the label was marked to be said here."""
    key = labelled_key(f"layers {label} {words}")
    choose = show_choice(key, word, take)
    column.selectbox(say(label), words, words.index(word), format_func=_name, key=key, on_change=choose)


def _newest(sides: list[Side], words: list[str], read: list[str]) -> str | None:
    """The word that came to those of these answers just now: it is what the visitor waits to see.

    A followed word that was read before stays known while another token's layers are yet to be read.
    """
    if not read:
        return None
    answers = [(side.turn.said, side.turn.answer) for side in sides if side.name != "again"]
    seen_of, seen = st.session_state.get("layers read", (None, []))
    known = [word for word in words if word in seen] if seen_of == answers else words
    st.session_state["layers read"] = (answers, list(dict.fromkeys([*known, *read])))
    added = [word for word in read if word not in known]
    return added[-1] if added else None


def _look_at_newest(newest: str | None, pairs: list[tuple[str, str]]) -> None:
    """Select the word that came just now; the other word of the pair stays what it was.

    Before anything is drawn: a visitor's click ends a run while it draws, and the word would not be new to the next.
    """
    if newest is not None:
        select(word=newest, over=_chosen_pair(pairs)[1] if pairs else selected().over)


def _draw(sides: list[Side], measure: LayerMeasure, word: str | None, over: str | None, difference: bool) -> Picture:
    return figure_picture(layers_figure(sides, measure, word, over, difference))


def _models_note(sides: list[Side], measure: LayerMeasure) -> str:
    """What is to be known where the lines are those of two models."""
    counts = listed([say("{model} has {n} layers", model=side.model, n=side.turn.trace.n_layers) for side in sides])
    if len({side.turn.trace.n_layers for side in sides}) == 1:
        told = f"{counts}."
    else:
        told = say("{counts}; the axis is the depth in each, in percent.", counts=counts)
    if measure != "rank":
        return told
    ranks = say("A rank is one among the model's own vocabulary.")
    return f"{told} {ranks}"


def _layer_table(side: Side) -> str:
    """Every layer: the probability and rank of the token that was written there, and the three likeliest."""
    lens = side.turn.trace.lens[side.step]
    rows = []
    for at, (prob, rank) in enumerate(zip(lens.token_prob, lens.token_rank, strict=True)):
        best = zip(lens.top_tokens[at][:3], lens.top_probs[at][:3], strict=True)
        said = [f"{shown(token)} {percent(float(each))}" for token, each in best]
        rows.append([str(at + 1), percent(float(prob)), number(rank, ","), *(said + [""] * 3)[:3]])
    what = say("its own token {token}, layer by layer", token=quoted(side.token))
    columns = [say("layer"), say("probability"), say("rank"), say("likeliest"), say("second"), say("third")]
    return table_html(f"{capitalised(side_label(side))}: {what}", columns, rows, columns[:3])
