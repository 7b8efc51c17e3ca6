"""One head opened: what every position of the text looked at, by word and by token."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from llm_tracker.analysis.attention import PARKED
from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, table_html
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
from llm_tracker.figures.heads import WINDOW, Head, pattern_by_word, pattern_figure, pattern_frame
from llm_tracker.prompts.words import Word
from llm_tracker.tracing.rereading.found import HeadPattern
from llm_tracker.wording.formats import capitalised, percent, quoted, shown
from llm_tracker.wording.labels import side_label

N_LISTED = 12
"""Words that the table of one position lists."""


def pattern_view(
    engine: Engine, workspace: Workspace, comparison: Comparison, side: Side, ref: TurnRef, head: Head
) -> None:
    """All of it, for one answer."""
    layer, number = head
    if comparison.after is not None:
        paragraph(capitalised(side_label(side)), also=f"lt-{side.name}")
    if number is None:
        paragraph("Choose a head: click a cell above, or pick one in the box.", quiet=True)
        return
    n_positions = side.turn.trace.prompt_length + side.turn.trace.n_steps
    found: HeadPattern | None = on_demand(
        engine,
        workspace,
        pattern_of(ref, layer, number),
        read_pattern,
        f"Read the pattern of layer {layer}, head {number}, {side_label(side)}",
        f"What each of the {n_positions:,} positions of the text looked at, in this head. The model reads the text "
        "once more for it.",
    )
    if found is not None:
        _drawn(side, found, comparison)


def by_choice() -> str:
    """Whether patterns are drawn by word or by token."""
    by = selected().by
    choose = show_choice("pattern by", by, lambda picked: select(by=picked, query=None, pattern_from=None))
    st.segmented_control(
        "Draw the pattern by",
        ["word", "token"],
        default=by,
        key="pattern by",
        on_change=choose,
        required=True,
    )
    return by


@st.fragment
def _drawn(side: Side, pattern: HeadPattern, comparison: Comparison) -> None:
    """The pattern over a window of the text, and what the chosen position looked at."""
    by = selected().by
    words = side.turn.words_before(side.turn.trace.n_steps)
    count = len(words) if by == "word" else pattern.weights.shape[1]
    first = _window(side, count, by, comparison)
    last = min(first + WINDOW, count)
    query = selected().query
    query = query if query is not None and first <= query < last else min(_opens_at(side, words, by), last - 1)
    drawn = remembered(
        f"pattern {side.name}",
        (pattern, by, first, query),
        lambda: figure_picture(pattern_figure(pattern, _frame(side, pattern, words, by, first, last), query)),
    )
    key = f"pattern of {side.name} {comparison.results} {by}"
    drawn.draw(
        f"Layer {pattern.layer}, head {pattern.head}",
        key,
        lambda picked: select_of(comparison, query=int(picked["query"])),
    )
    paragraph(drawn.sentence)
    if by == "word":
        _looked_at(side, pattern, words, query)
    asked: dict[str, Any] = {"layer": pattern.layer, "head": pattern.head, "by": by, "first": first}
    export_menu(f"pattern-{side.name}", drawn.figure, copy_texts(comparison, [side], "pattern", **asked))


def _opens_at(side: Side, words: list[Word], by: str) -> int:
    """The place that wrote the token that is looked at."""
    position = side.turn.trace.prompt_length + side.step - 1
    if by == "token":
        return position
    return next(at for at, word in enumerate(words) if word.tokens[0] <= position < word.tokens[1])


def _frame(side: Side, pattern: HeadPattern, words: list[Word], by: str, first: int, last: int) -> pd.DataFrame:
    if by == "word":
        return pattern_by_word(pattern, words, first, last)
    prompt = side.turn.prompt
    tokens = [prompt.text[start:end] for start, end in prompt.spans] + list(side.turn.trace.tokens)
    return pattern_frame(pattern, tokens, first, last)


def _window(side: Side, count: int, by: str, comparison: Comparison) -> int:
    """Where the window begins: at its latest, so that it shows the answer."""
    if count <= WINDOW:
        return 0
    key, latest = f"pattern from {side.name} {count}", count - WINDOW + 1
    first = chosen(selected().pattern_from, range(1, latest + 1), latest)
    choose = show_choice(
        key, first, lambda picked: select_of(comparison, pattern_from=unless_default(picked, latest), query=None)
    )
    st.slider(f"From {by} (of {count:,}; {WINDOW} are drawn)", 1, latest, first, key=key, on_change=choose)
    return first - 1


def _looked_at(side: Side, pattern: HeadPattern, words: list[Word], query: int) -> None:
    """What one word looked at most, as a table."""
    frame = pattern_by_word(pattern, words, 0, query + 1, query)
    own = frame[frame["value"].notna()].sort_values("value", ascending=False, kind="stable")
    name = quoted(words[query].text)
    with st.expander(f"What {name} looked at most", key=f"looked {side.name}"):
        rows = [
            [shown(str(text)), words[key].role if words[key].role != "template" else PARKED, percent(float(value))]
            for key, text, value in zip(own["key"], own["key_text"], own["value"], strict=True)
        ][:N_LISTED]
        shares = own["value"].tolist()[:N_LISTED]
        st.html(table_html(f"{name} looked at", ["word", "whose", "share"], rows, ("share",), shares))
