"""The table of whole words: how likely each is as an answer, spelling by spelling."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.word_scores import word_scores
from llm_tracker.app.parts.downloads import csv_button
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.parts.pictures import remembered
from llm_tracker.app.parts.side_labels import side_labels
from llm_tracker.languages.texts import say
from llm_tracker.tracing.whole_words import WordScore
from llm_tracker.wording.formats import one_in, percent, shown
from llm_tracker.wording.headline import TOO_SMALL


@st.fragment
def whole_words_view(sides: list[Side], words: list[str]) -> None:
    """A folded table of the words that are followed, at the tokens where the headline compares."""
    with st.expander(say("Table: whole words, in every spelling")):
        scored = [word for word in words if any(side.score(word) for side in sides)]
        if not scored:
            paragraph(say("No word has been scored yet."), quiet=True)
            return
        st.html(remembered("whole words", (tuple(sides), tuple(scored)), lambda: _table(sides, scored)))
        paragraph(
            say(
                "The probability of all of a word's tokens, one behind the other, and of its end: without that, “Au” "
                "would have the probability of “Australia” too. A dot in front is a space. The spellings of a "
                "word add up to its first row."
            ),
            quiet=True,
        )
        csv_button("words", lambda: {side.name: word_scores(side.turn, side.step) for side in sides})


def _table(sides: Sequence[Side], words: Sequence[str]) -> str:
    labels = side_labels(sides)
    names = [labels[side.name] for side in sides]
    rows = [row for word in words for row in _rows([side.score(word) for side in sides], word)]
    return table_html(say("Whole words"), [say("word"), say("spelling"), *names], rows, names)


def _likely(prob: float) -> str:
    return percent(prob) if prob >= TOO_SMALL else one_in(prob)


def _rows(scores: Sequence[WordScore | None], word: str) -> list[list[str]]:
    """A word's probability on each side, then that of each of its spellings."""
    by_side = [{each.text: each.prob for each in score.spellings} if score else {} for score in scores]
    spellings = dict.fromkeys(text for own in by_side for text in own)
    whole = [_likely(score.prob) if score else "" for score in scores]
    parts = [["", shown(text), *(_likely(own[text]) if text in own else "" for own in by_side)] for text in spellings]
    return [[shown(word), say("all together"), *whole], *parts]
