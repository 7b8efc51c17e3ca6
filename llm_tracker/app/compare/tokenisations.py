"""How each model cuts the same words into tokens, shown where that differs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from llm_tracker.analysis.across_models.runs import NamedRun
from llm_tracker.analysis.across_models.tokenisations import Cut, Tokens, cuts
from llm_tracker.app.parts.html import paragraph
from llm_tracker.languages.texts import say, say_n
from llm_tracker.wording.across_models.tokenisations import cut_labels, cuts_sentence
from llm_tracker.wording.formats import capitalised, listed, shown


def tokenisations_view(runs: Sequence[NamedRun], words: Sequence[str]) -> None:
    """The sentence, and each text that is not cut alike."""
    st.header(say("How each cuts the words"), anchor=False)
    found = cuts(runs, words)
    paragraph(cuts_sentence(found, len(runs)))
    for label, cut in zip(cut_labels(found), found, strict=True):
        if not cut.is_alike:
            with st.container():
                paragraph(capitalised(label), quiet=True)
                st.html(_ways(label, cut))


def _ways(label: str, cut: Cut) -> str:
    name = escape(say("{text}, as tokens", text=label))
    rows = "".join(
        f'<div class="of">{_counted(letters, tokens)}</div><div>{_cells(tokens)}</div>' for tokens, letters in cut.ways
    )
    return f'<div class="lt-cuts" role="group" aria-label="{name}">{rows}</div>'


def _counted(letters: Sequence[str], tokens: Tokens) -> str:
    """Into how many tokens which models cut a text."""
    return say_n("{models}, {n} token", "{models}, {n} tokens", len(tokens), models=listed(letters))


def _cells(tokens: Tokens) -> str:
    """A cell a token; its spaces are thin dots."""
    return "".join(f'<span class="token">{escape(shown(token)).replace("·", "<s>·</s>")}</span>' for token in tokens)
