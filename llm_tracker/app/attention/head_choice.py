"""Which words the grid is about, and which head is opened."""

from __future__ import annotations

import numpy as np
import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import Head, head_grid, opening_words, word_choices
from llm_tracker.app.attention.heads import focus_of
from llm_tracker.app.parts.html import plain_label
from llm_tracker.app.parts.side_labels import of_two_models
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison, select_of
from llm_tracker.app.selection.selection import unless_default, with_number
from llm_tracker.app.views.attention import head_label, place_of
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import fold, is_mark


def focus_choice(sides: list[Side], comparison: Comparison) -> list[str]:
    """The words that the cells are about, to be chosen among those of the conversation."""
    unasked, words = unasked_words(sides, comparison), named_words(sides, comparison)
    key = f"focus {comparison.results} {comparison.refs}"

    def take(picked: list[str]) -> None:
        select_of(comparison, focus=unless_default(tuple(picked), tuple(unasked)))

    choose = show_choice(key, words, take)
    st.multiselect(
        say("Words of the conversation"),
        list(dict.fromkeys([*words, *_words(sides)])),
        default=words,
        key=key,
        on_change=choose,
        placeholder=say("Choose a word"),
        help=say(
            "A word of what was said last (the question, the correction) is meant there; another wherever it stands."
        ),
    )
    return words


def named_words(sides: list[Side], comparison: Comparison) -> list[str]:
    """The words that are chosen, or those that the grid opens with."""
    chosen = selected().focus
    return unasked_words(sides, comparison) if chosen is None else list(chosen)


def unasked_words(sides: list[Side], comparison: Comparison) -> list[str]:
    """The word that the correction named; where it named none, the last word of what was said."""
    found = (opening_words(comparison.sessions[place_of(side)], side.turn, side.step) for side in sides[::-1])
    return next((words for words in found if words), [])


def _words(sides: list[Side]) -> list[str]:
    """The words of the conversations, each once, in reading order."""
    texts = [str(word).strip() for side in sides for word in word_choices(side.turn, side.step)["word"]]
    unique = {fold(text): text for text in reversed(texts) if text and not is_mark(text)}
    return list(unique.values())[::-1]


def head_choice(sides: list[Side], words: list[str]) -> dict[str, Head]:
    """The head that is opened on each side: of two models, one of each."""
    by_model = of_two_models(sides)
    if by_model:
        return {side.name: _boxes(side, place_of(side), words) for side in sides}
    # The answer that was corrected knows nothing yet of the word that the correction names.
    return dict.fromkeys([str(side.name) for side in sides], _boxes(sides[-1], 0, words))


def _boxes(side: Side, at: int, words: list[str]) -> Head:
    """A layer and a head by their numbers: unless chosen, the head that looks most at the words."""
    grid = _grid(side, words)
    best = np.unravel_index(int(np.nanargmax(grid)), grid.shape)
    n_layers = side.turn.trace.n_layers
    layer = selected().layers[at]
    layer = layer if layer is not None and 1 <= layer <= n_layers else int(best[0]) + 1
    heads = side.turn.trace.heads[layer - 1]
    head = selected().heads[at]
    if head is None or not 1 <= head <= heads:
        head = int(np.nanargmax(grid[layer - 1])) + 1 if heads else None
    left, right = st.columns(2)
    key = f"opened {side.model}".strip()

    def take_layer(picked: int) -> None:
        select(layers=with_number(selected().layers, at, int(picked)), heads=with_number(selected().heads, at, None))

    def take_head(picked: int) -> None:
        select(layers=with_number(selected().layers, at, layer), heads=with_number(selected().heads, at, int(picked)))

    choose = show_choice(f"{key} layer", layer, take_layer)
    label = say("Layer of the head, {model}", model=plain_label(side.model)) if side.model else say("Layer of the head")
    left.number_input(label, 1, n_layers, layer, key=f"{key} layer", on_change=choose)
    if head is None:
        return layer, None
    choose = show_choice(f"{key} head of {heads}", head, take_head)
    right.number_input(head_label(side.model), 1, heads, head, key=f"{key} head of {heads}", on_change=choose)
    return layer, head


def _grid(side: Side, words: list[str]) -> np.ndarray:
    spans = focus_of(side, words).spans
    return head_grid(side.turn, side.step, "words" if spans else "max", spans)
