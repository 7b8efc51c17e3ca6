"""Every head of every layer in one cell: where it looked, before | after, or what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import Head, HeadMeasure, grid_of, kept_rows, named_places, ranked_heads
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.parts.side_labels import of_two_models
from llm_tracker.app.selection.address import select, selected
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.selection.copy_texts import copy_texts
from llm_tracker.app.selection.selection import Arrangement, with_number
from llm_tracker.figures.heads import heads_difference_figure, heads_figure
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import Span
from llm_tracker.tracing.rereading.found import ValueWeights
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.formats import capitalised, percent, quoted
from llm_tracker.wording.labels import side_label

N_RANKED = 10


@dataclass(frozen=True)
class Focus:
    """The words that the cells are about, on one side: their texts, and their tokens."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]


def focus_of(side: Side, words: Sequence[str]) -> Focus:
    """Where the chosen words stand on one side: in what was said last, or else wherever they stand."""
    found = {word: named_places(side.turn, side.step, word) for word in words}
    spans = tuple(span for places in found.values() for span in places)
    return Focus(tuple(word for word, places in found.items() if places), spans)


def rows_of(side: Side, weights: ValueWeights | None) -> FloatArray:
    """What the grid is made of: the attention that was kept, or the shares of what it carries."""
    return kept_rows(side.turn, side.step) if weights is None else weights.head_shares


def grids_view(
    comparison: Comparison,
    sides: list[Side],
    shown: Arrangement,
    measure: HeadMeasure,
    words: list[str],
    weights: dict[str, ValueWeights],
    heads: dict[str, Head],
) -> None:
    """The grids, each with its sentence; a click opens a head."""
    key = (tuple(sides), shown, measure, tuple(words), tuple(weights.items()), tuple(heads.items()))
    limits, pictures = remembered("heads", key, lambda: _draw(sides, shown, measure, words, weights, heads))
    columns = st.columns(len(pictures))
    for column, (name, each) in zip(columns, pictures.items(), strict=True):
        with column:
            if len(pictures) > 1:
                side = next(side for side in sides if side.name == name)
                paragraph(capitalised(side_label(side)), also=f"lt-{name}")
            at = 1 if name == "after" and of_two_models(sides) else 0
            each.draw(say("Every head of every layer"), f"grid {name}", partial(_pick, at=at))
            paragraph(each.sentence)
            drawn = sides if name == "difference" else [side for side in sides if side.name == name]
            layer, head = heads["after" if name == "difference" else name]
            asked: dict[str, Any] = {"words": words, "measure": measure, "weighed": bool(weights), "limits": limits}
            asked |= {"layer": layer, "head": head}
            copy = copy_texts(comparison, drawn, "heads", name == "difference", **asked)
            export_menu(f"heads-{name}", each.figure, copy)


def _pick(picked: Mapping[str, Any], at: int) -> None:
    select(
        layers=with_number(selected().layers, at, int(picked["layer"])),
        heads=with_number(selected().heads, at, int(picked["head"])),
        query=None,
    )


def _draw(
    sides: list[Side],
    shown: Arrangement,
    measure: HeadMeasure,
    words: list[str],
    weights: dict[str, ValueWeights],
    heads: dict[str, Head],
) -> tuple[tuple[float, float] | None, dict[str, Picture]]:
    """The grids by side, on one scale, with its ends where there are several."""
    grids = {
        side.name: grid_of(
            rows_of(side, weights.get(side.name)), side.turn, side.step, measure, focus_of(side, words).spans
        )
        for side in sides
    }
    if shown == "difference":
        figure = heads_difference_figure(grids["before"], grids["after"], measure, heads["after"])
        return None, {"difference": figure_picture(figure)}
    largest = max(float(grid[grid == grid].max(initial=0)) for grid in grids.values())
    limits = (0.0, largest) if len(sides) > 1 else None
    return limits, {
        side.name: figure_picture(
            heads_figure(
                side,
                measure,
                focus_of(side, words).spans,
                focus_of(side, words).words,
                weights[side.name].head_shares if side.name in weights else None,
                heads[side.name],
                limits,
            )
        )
        for side in sides
    }


def ranked_view(sides: list[Side], words: list[str], weights: dict[str, ValueWeights]) -> None:
    """The heads that look most at the chosen words, best first."""
    with st.expander(say("Table: the heads that look most at the chosen words")):
        if not words:
            paragraph(say("No word is chosen: choose some above."), quiet=True)
            return
        for column, side in zip(st.columns(len(sides)), sides, strict=True):
            column.html(_ranked(side, focus_of(side, words), weights.get(side.name)))


def _ranked(side: Side, focus: Focus, weights: ValueWeights | None) -> str:
    named = ", ".join(map(quoted, focus.words)) or say("none of these words is here")
    caption, columns = f"{capitalised(side_label(side))}: {named}", [say("layer"), say("head"), say("share")]
    if not focus.spans:
        return table_html(caption, columns, [], columns[:2])
    raw = grid_of(kept_rows(side.turn, side.step), side.turn, side.step, "words", focus.spans)
    ordered = ranked_heads(raw if weights is None else _weighed(side, focus, weights), N_RANKED)
    rows, bars = [], []
    for layer, head, value in zip(ordered["layer"], ordered["head"], ordered["value"], strict=True):
        rows.append([str(layer), str(head), percent(float(raw[layer - 1, head - 1]))])
        if weights is not None:
            rows[-1].append(percent(float(value)))
        bars.append(float(value))
    columns += [] if weights is None else [say("weighed by values")]
    return table_html(caption, columns, rows, columns, bars)


def _weighed(side: Side, focus: Focus, weights: ValueWeights) -> FloatArray:
    return grid_of(weights.head_shares, side.turn, side.step, "words", focus.spans)
