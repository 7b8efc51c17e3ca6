"""Where the difference travels: the named word, the verdict, every position by itself, and the lens."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.correction.shown import Shown, how_to_read
from llm_tracker.app.parts.html import paragraph
from llm_tracker.experiments.values.experiment import available
from llm_tracker.experiments.values.findings import HandOver
from llm_tracker.figures.correction.paths import grid_figure
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import quoted


def paths_view(shown: Shown) -> None:
    """The named word's path first, then the verdict's; the grid when it is asked for."""
    st.header(say("Where the named word travels"), anchor=False)
    path = available(shown.found.hand_over)
    with st.container():
        _pair(path)
    shown.draw("hand_over")
    how_to_read("named word", HOW_TO_READ)
    with st.container():
        _grid(shown)
    st.header(say("Where the verdict travels"), anchor=False)
    paragraph(say("The same for the verdict alone: “That is right.” and “That is wrong.”"), quiet=True)
    shown.draw("verdict")
    how_to_read("verdict", VERDICT)


def _pair(path: HandOver | None) -> None:
    if path is not None:
        pair = path.pair
        paragraph(
            say(
                "Two corrections that differ in a word: {source} and {target}",
                source=quoted(pair.source),
                target=quoted(pair.target),
            ),
            quiet=True,
        )


def _grid(shown: Shown) -> None:
    """Every position by itself, at every depth."""
    path = available(shown.found.hand_over)
    if path is None or not path.answer_slot:
        return
    with st.expander(say("Every position by itself"), expanded=path.grid is not None, key="grid of positions"):
        if path.grid is not None:
            shown.draw("grid", make=lambda: grid_figure(path))
            return
        paragraph(
            say(
                "All {n} positions from the word to the answer, each swapped alone at each of {depths} depths: "
                "some seconds more. The last one is where the answer is written.",
                n=len(path.tokens),
                depths=path.n_layers + 1,
            ),
            quiet=True,
        )
        shown.more_button(say("Swap every position"), "run grid", "grid")


def lens_view(shown: Shown) -> None:
    """The lead through the layers, under the main conditions."""
    st.header(say("The lead through the layers"), anchor=False)
    shown.draw("lens_margins")
    how_to_read("layers", LENS)


HOW_TO_READ = later(
    "This is **activation patching** (Meng et al., 2022). The model reads the second correction, but at one place in "
    "it, after one layer, the state is put there that it has when it reads the first one. How much of the difference "
    "between the two comes back with that? 100 %: this place, at this depth, holds all of it. 0 %: none. The curves "
    "do the same for the word itself, for the words behind it, and for the position that writes the answer. Where the "
    "first falls and the last rises, a layer moves the information. Values over 100 % and below 0 % are real: a state "
    "may do more alone than with the rest. Depth is not time."
)

VERDICT = later(
    "The same as above, with a word that names no answer. Its effect is smaller, and it is another number than that "
    "of the conditions below: here it is the first token's lead in one wording, there that of the whole words, as a "
    "mean of several. Where the curves rise and fall before they settle, no one layer moves it."
)

LENS = later(
    "The **logit lens** reads, after each layer, how far the right word's first token is ahead of the other's. All "
    "lines begin alike, since the last token that was read is the same. Where the correction's line leaves that of "
    "*merely asked again*, the read-out begins to differ; on some models it says little before the last layers (KL). "
    "A read-out shows what can be read there, not what the model decided there."
)
