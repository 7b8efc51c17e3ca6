"""The answers, before and after, as cards; any text appears exactly as it is."""

from __future__ import annotations

from html import escape

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.html import exact, plain_label
from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.wording.answers import ending_note, place_of_token
from llm_tracker.wording.formats import capitalised, in_quotes, percent, quoted
from llm_tracker.wording.labels import TURN_LABELS

LONG_ANSWER = 60
"""Characters past which an answer is set small and scrolls within its card."""

LONG_ANSWER_TOKENS = 24
"""Tokens that an answer may have past which its card is tall from the start, so that nothing jumps while it grows."""

SLOW_SECONDS = 0.25
"""Seconds per token past which the card says how fast it goes and how long it may take."""


def answer_card(side: Side) -> None:
    """One answer: what was said, the answer, and how likely the token is that is looked at."""
    turn, trace = side.turn, side.turn.trace
    likely = say(
        "{place}, {token}, was {share} likely",
        place=place_of_token(turn, side.step),
        token=quoted(side.token),
        share=percent(float(trace.token_probs[side.step])),
    )
    note = f"{capitalised(likely)}{ending_note(turn)}"
    is_tall = len(turn.answer_steps) > LONG_ANSWER_TOKENS
    missing = say("(an empty answer)") if turn.has_answer else say("(no answer)")
    _card(side.name, side.model, turn.said, turn.answer or missing, note, is_tall)


def running_card(coming: ComingAnswer, note: str, model: str = "") -> None:
    """An answer that is still coming; `model` is the name of the one that gives it, where it joins another's."""
    is_long = coming.max_new_tokens > LONG_ANSWER_TOKENS
    _card(coming.side, model, coming.said, coming.text or "…", note, is_long)


def empty_card(name: str, text: str) -> None:
    """The place where an answer will be."""
    _card(name, "", "", "", text, False)


def _card(name: str, model: str, said: str, answer: str, note: str, tall: bool) -> None:
    quote = f" · {in_quotes(exact(said))}" if said else ""
    by = f": {sentence(model)}" if model else ""
    long = tall or len(answer) > LONG_ANSWER
    side = say(TURN_LABELS[name])
    label = escape(say("The answer {side}", side=side))
    scroll = f' tabindex="0" role="region" aria-label="{label}"' if long else ""
    st.html(
        f'<div class="lt-card {name}"><div class="head lt-quiet">{capitalised(side)}{by}{quote}</div>'
        f'<div class="answer lt-{name}{" long" if long else ""}{" tall" if tall else ""}"{scroll}>{exact(answer)}</div>'
        f'<div class="note lt-quiet">{sentence(note)}</div></div>'
    )


def pace_note(coming: ComingAnswer) -> str:
    """How fast a slow model writes, and how long it may still take."""
    pace = coming.pace()
    if pace is None or pace[0] < SLOW_SECONDS:
        return ""
    each, left = number(pace[0], ".1f"), max(1, round(pace[1]))
    return f", {say('{seconds} s per token, at most {left} s left', seconds=each, left=left)}"


def model_line(title: str, place: str, *notes: str) -> None:
    """A model of the catalogue: its name, its id and where it is, what it is good for, and what it takes."""
    lines = "".join(f'<br><span class="lt-quiet">{sentence(note)}</span>' for note in notes if note)
    st.html(f'<p class="lt-text"><b>{sentence(title)}</b> <span class="lt-quiet">{sentence(place)}</span>{lines}</p>')


def failed_plugin(name: str, reason: str, where: str = "") -> None:
    """A plug-in that could not be used: where it failed, as far as that is known, and why."""
    if where:
        text = say(
            "The plug-in {name} could not be used: see {where}.", name=plain_label(name), where=plain_label(where)
        )
    else:
        text = say("The plug-in {name} could not be used.", name=plain_label(name))
    st.warning(text)
    st.code(reason, language=None, wrap_lines=True)
