"""The projector's slides: what each shows of the conversation in hand, large enough for the last row."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Hashable, Sequence
from html import escape

import streamlit as st

from llm_tracker.analysis.compare import Side, word_changes
from llm_tracker.app.parts.html import exact, paragraph
from llm_tracker.app.parts.pictures import remembered, scheme
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.work.teaching.classroom import Guessed
from llm_tracker.errors import InputError
from llm_tracker.export import images
from llm_tracker.export.html_text import sentence
from llm_tracker.figures.asked import Asked
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.views import VIEWS
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import percent, quoted
from llm_tracker.wording.headline import headline, place_of, shift_split

SLIDES = ("question", "before", "correction", "after", "changed", "candidates", "layers", "attention")
"""What the projector shows of any conversation; a lesson has slides of its own."""

TITLES = {
    "question": later("The question"),
    "before": later("The answer"),
    "correction": later("The correction"),
    "after": later("The answer after the correction"),
    "changed": later("What changed"),
    "candidates": later("What it might have written"),
    "layers": later("Layer by layer"),
    "attention": later("Where it looked"),
    "hand_over": later("Where the named word travels"),
    "head_patches": later("Which heads carried it"),
    "hidden": later("Changed the lead when hidden"),
    "carried": later("Carried the lead"),
    "looked_at": later("Looked at"),
}

ANSWERS: dict[str, Guessed] = {"before": "before", "after": "after"}
"""The slides that hide an answer, and which."""

PICTURE_WIDTH = 620
"""Pixels that a chart is drawn for: it is shown twice as wide, and so is its type."""


def answer_slide(comparison: Comparison, answer: Guessed) -> None:
    """One answer in the largest type, and how likely its token was."""
    side = comparison.before if answer == "before" else comparison.after
    if side is None:
        return
    said = side.turn.answer or say("(an empty answer)")
    st.html(f'<p class="lt-big lt-{answer}">{exact(said)}</p>')
    likely = percent(float(side.turn.trace.token_probs[side.step]))
    paragraph(say("{token} was {likely} likely.", token=quoted(side.token), likely=likely), also="lt-large")


def changed_slide(comparison: Comparison, words: list[str]) -> None:
    """The headline: before, after, and merely asked again."""
    sides = comparison.headline_sides
    st.html(f'<p class="lt-large">{sentence(headline(sides, words))}</p>')
    if not comparison.of_two_models and (split := shift_split(sides, words)):
        paragraph(split, also="lt-large")
    scored = [score for side in sides for score in side.turn.scores.get(side.step, {}).values()]
    if scored and word_changes(sides, words):  # an edited answer is there unscored
        paragraph(place_of(scored[0].end, any(side.turn.thought for side in sides)), quiet=True)


def picture_slide(sides: Sequence[Side], view: str, words: list[str]) -> None:
    """One of the views of these answers."""
    has_lead = view != "layers" or len(words) > 1  # a lead is of one word over another
    asked = Asked(tuple(sides), tuple(words), measure=None if has_lead else "prob")
    try:
        draw_large(view, (asked.sides, asked.words), lambda: VIEWS[view](asked))
    except InputError as error:
        paragraph(str(error), also="lt-large")


def draw_large(view: str, key: Hashable, make: Callable[[], Figure | None]) -> bool:
    """Draw a chart with its sentence, as a picture that keeps its sharpness at any size; whether there is one.

    It is made anew for another `key`. Raises what `make` raises.
    """
    drawn = remembered(f"slide {view}", (key, scheme()), lambda: None if (each := make()) is None else _drawn(each))
    if drawn is None:
        return False
    picture, said = drawn
    alt = escape(f"{say(TITLES[view])}. {said}", quote=True)
    st.html(f'<img class="lt-picture" alt="{alt}" src="data:image/svg+xml;base64,{picture}">')
    st.html(f'<p class="lt-caption">{sentence(said)}</p>')
    return True


def _drawn(figure: Figure) -> tuple[str, str]:
    """The picture and its sentence."""
    return b64encode(images.svg(figure.chart, scheme(), PICTURE_WIDTH).encode()).decode(), figure.sentence
