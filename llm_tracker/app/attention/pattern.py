"""One head opened: what every position of the text looked at, by word and by token."""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_tracker.analysis.alignment import Pairs
from llm_tracker.analysis.attention import PARKED
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import Head
from llm_tracker.analysis.patterns import PatternBy, PatternText, paired_places, pattern_text
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.parts.pictures import figure_picture, remembered
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison, select_of
from llm_tracker.app.selection.copy_texts import copy_texts
from llm_tracker.app.selection.selection import chosen, unless_default
from llm_tracker.app.views.on_demand import on_demand
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.on_demand import pattern_of, read_pattern
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.figures.patterns import WINDOW, pattern_difference_figure, pattern_figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.rereading.found import HeadPattern
from llm_tracker.wording.formats import capitalised, percent, quoted_token, shown
from llm_tracker.wording.labels import side_label

N_LISTED = 12
"""Words that the table of one position lists."""

CHOOSE = later("Choose a head: click a cell above, or pick one in the box.")

BY: dict[PatternBy, str] = {"word": later("word"), "token": later("token")}

WHOSE = {
    PARKED: later("parked"),
    "template": later("template"),
    "recipe": later("recipe"),
    "system": later("system"),
    "user": later("user"),
    "assistant": later("assistant"),
    "thought": later("thought"),
    "answer": later("answer"),
}
"""Whose a word is, in the table of one position."""

PatternSide = tuple[Side, HeadPattern]


def patterns_view(
    engine: Engine,
    workspace: Workspace,
    comparison: Comparison,
    sides: list[Side],
    heads: dict[str, Head],
    is_difference: bool,
) -> None:
    """The opened head of each answer, or where both were read, what its pattern gave more after."""
    by = _by_choice()
    refs = {side.name: ref for side, ref in comparison.answers}
    found: list[PatternSide] = []
    if is_difference and None in [heads[side.name][1] for side in sides]:
        paragraph(say(CHOOSE), quiet=True)
        return
    for side in sides:
        if comparison.after is not None and not is_difference:
            paragraph(capitalised(side_label(side)), also=f"lt-{side.name}")
        pattern = _read(engine, workspace, side, refs[side.name], heads[side.name])
        if pattern is not None and not is_difference:
            _drawn(side, _text(side, pattern, by), comparison)
        found += [] if pattern is None else [(side, pattern)]
    if is_difference and len(found) > 1:
        texts = [_text(side, pattern, by) for side, pattern in found]
        _difference(comparison, [side for side, _ in found], texts[0], texts[1])


def _text(side: Side, pattern: HeadPattern, by: PatternBy) -> PatternText:
    """The pattern over the places of its text, which a rerun does not cut anew."""
    key = (side.turn, pattern, by)
    return remembered(f"pattern text {side.name}", key, lambda: pattern_text(side.turn, pattern, by))


def _read(engine: Engine, workspace: Workspace, side: Side, ref: TurnRef, head: Head) -> HeadPattern | None:
    """The pattern of one answer, if it was read; else the offer to read it."""
    layer, head_number = head
    if head_number is None:
        paragraph(say(CHOOSE), quiet=True)
        return None
    n = number(side.turn.trace.prompt_length + side.turn.trace.n_steps, ",")
    found: HeadPattern | None = on_demand(
        engine,
        workspace,
        pattern_of(ref, layer, head_number),
        read_pattern,
        say(
            "Read the pattern of layer {layer}, head {head}, {side}",
            layer=layer,
            head=head_number,
            side=side_label(side),
        ),
        say(
            "What each of the {n} positions of the text looked at, in this head. The model reads the text once more "
            "for it.",
            n=n,
        ),
    )
    return found


def _by_choice() -> Any:
    """Whether patterns are drawn by word or by token."""
    by = selected().by
    key = labelled_key("pattern by")
    choose = show_choice(key, by, lambda picked: select(by=picked, query=None, pattern_from=None))
    st.segmented_control(
        say("Draw the pattern by"),
        list(BY),
        default=by,
        format_func=lambda each: say(BY[each]),
        key=key,
        on_change=choose,
        required=True,
    )
    return by


@st.fragment
def _drawn(side: Side, text: PatternText, comparison: Comparison) -> None:
    """The pattern over a window of the text, and what the chosen position looked at."""
    by, pattern, count = selected().by, text.pattern, len(text.spans)
    first = _window(side.name, count, comparison)
    last = min(first + WINDOW, count)
    query = selected().query
    query = query if query is not None and first <= query < last else min(_opens_at(side, text), last - 1)
    drawn = remembered(
        f"pattern {side.name}",
        (pattern, by, first, query),
        lambda: figure_picture(pattern_figure(text, first, query), side.name),
    )
    key = f"pattern of {side.name} {comparison.results} {by}"
    drawn.draw(
        say("Layer {layer}, head {head}", layer=pattern.layer, head=pattern.head),
        key,
        lambda picked: select_of(comparison, query=int(picked["query"])),
    )
    paragraph(drawn.sentence)
    if by == "word":
        _looked_at(side, text, query)
    asked: dict[str, Any] = {"layer": pattern.layer, "head": pattern.head, "by": by, "first": first, "query": query}
    export_menu(f"pattern-{side.name}", drawn.figure, copy_texts(comparison, [side], "pattern", **asked))


@st.fragment
def _difference(comparison: Comparison, sides: list[Side], before: PatternText, after: PatternText) -> None:
    """What the pattern gave more after, over a window of both texts."""
    by, pattern = selected().by, after.pattern
    turns = (sides[0].turn, sides[1].turn)
    pairs: Pairs[int] = remembered("paired places", (*turns, by), lambda: paired_places(*turns, by))
    first = _window("difference", len(pairs), comparison)
    drawn = remembered(
        "pattern difference",
        (before.pattern, after.pattern, by, first),
        lambda: figure_picture(pattern_difference_figure(before, after, pairs, first)),
    )
    drawn.draw(say("Layer {layer}, head {head}, after minus before", layer=pattern.layer, head=pattern.head))
    paragraph(drawn.sentence)
    paragraph(say("A pale grey place stands in one of the two texts only."), quiet=True)
    asked: dict[str, Any] = {"layer": pattern.layer, "head": pattern.head, "by": by, "first": first}
    export_menu("pattern-difference", drawn.figure, copy_texts(comparison, sides, "pattern", True, **asked))


def _opens_at(side: Side, text: PatternText) -> int:
    """The place that wrote the token that is looked at."""
    position = side.turn.trace.prompt_length + side.step - 1
    return next(at for at, (start, end) in enumerate(text.spans) if start <= position < end)


def _window(name: str, count: int, comparison: Comparison) -> int:
    """Where the window begins: at its latest, so that it shows the answer."""
    if count <= WINDOW:
        return 0
    key, latest = f"pattern from {name} {count}", count - WINDOW + 1
    first = chosen(selected().pattern_from, range(1, latest + 1), latest)
    choose = show_choice(
        key, first, lambda picked: select_of(comparison, pattern_from=unless_default(picked, latest), query=None)
    )
    n = number(count, ",")
    if selected().by == "word":
        label = say("From word (of {n}; {window} are drawn)", n=n, window=WINDOW)
    else:
        label = say("From token (of {n}; {window} are drawn)", n=n, window=WINDOW)
    st.slider(label, 1, latest, first, key=key, on_change=choose)
    return first - 1


def _looked_at(side: Side, text: PatternText, query: int) -> None:
    """What one word looked at most, as a table."""
    roles = {word.tokens[1]: word.role for word in side.turn.words_before(side.turn.trace.n_steps)}
    shares = text.row(query)
    ordered = [int(at) for at in (-shares).argsort(kind="stable") if shares[at] == shares[at]][:N_LISTED]
    whose = {at: PARKED if text.parked[at] else roles[text.spans[at][1]] for at in ordered}
    name = quoted_token(text.texts[query])
    with st.expander(say("What {word} looked at most", word=name), key=f"looked {side.name}"):
        rows = [[shown(text.texts[at]), say(WHOSE[whose[at]]), percent(float(shares[at]))] for at in ordered]
        bars = [float(shares[at]) for at in ordered]
        columns = [say("word"), say("whose"), say("share")]
        st.html(table_html(say("{word} looked at", word=name), columns, rows, columns[2:], bars))
