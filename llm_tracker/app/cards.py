"""The answers, before and after, as cards; any text appears exactly as it is."""

from __future__ import annotations

from html import escape

import streamlit as st

from llm_tracker.analysis.reading import ending_note, percent, shown
from llm_tracker.app.jobs import Job
from llm_tracker.charts.palette import TURN_COLOURS
from llm_tracker.tracing.session import Turn

_CARD = "border:1px solid rgba(128,128,128,.28);border-radius:.6rem;padding:.8rem 1rem;min-height:7.2rem"
_ANSWER = "font-size:1.7rem;font-weight:700;line-height:1.25;overflow-wrap:anywhere"
_QUIET = "opacity:.72;font-size:.85rem;overflow-wrap:anywhere"
_AT_MOST_THREE_LINES = "display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;overflow:hidden"


def answer_card(name: str, turn: Turn) -> None:
    """One turn: what was said, the answer, and how likely its answer token was."""
    step = turn.answer_step
    prob, token = float(turn.trace.token_probs[step]), shown(turn.trace.tokens[step].strip() or turn.trace.tokens[step])
    place = f" (token {step + 1})" if step else ""
    likely = f"“{escape(token)}” was {percent(prob)} likely{place}"
    _card(name, turn.said, turn.answer or "(an empty answer)", likely + ending_note(turn))


def running_card(name: str, job: Job, note: str) -> None:
    """An answer that is still coming."""
    _card(name, job.said, job.text or "…", escape(note))


def empty_card(name: str, text: str) -> None:
    """The place where an answer will be."""
    _card(name, "", "", escape(text))


def _card(name: str, said: str, answer: str, note_html: str) -> None:
    quoted = f' · <span title="{escape(said)}">“{escape(said)}”</span>' if said else ""
    size = _ANSWER if len(answer) <= 60 else _ANSWER.replace("1.7rem", "1.1rem")
    head = f'<div style="{_QUIET};{_AT_MOST_THREE_LINES}">{name.capitalize()}{quoted}</div>'
    st.html(
        f'<div style="{_CARD}" class="answer-card {name}">{head}'
        f'<div style="{size};color:{TURN_COLOURS[name]}" class="answer">{escape(answer)}</div>'
        f'<div style="{_QUIET}">{note_html}</div></div>'
    )


def read_text(turn: Turn) -> None:
    """The exact text that the model read: what the template or the recipe wrote is grey, what was said is not."""
    runs = "".join(
        f'<span style="opacity:{1 if word.role in ("user", "assistant", "system") else 0.5}">{escape(word.text)}</span>'
        for word in turn.prompt.words
    )
    st.html(f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font-size:.85rem">{runs}</pre>')


def model_line(title: str, place: str, note: str) -> None:
    """A model of the catalogue: its name, its id and where it is, and what it is good for."""
    st.html(
        f'<p style="margin:0"><b>{escape(title)}</b> <span style="{_QUIET}">{escape(place)}</span><br>'
        f'<span style="{_QUIET}">{escape(note)}</span></p>'
    )


def exact_text(text: str) -> None:
    """A paragraph whose text is shown as it is, whatever markup it spells."""
    st.html(f'<p style="overflow-wrap:anywhere;margin:0">{escape(text)}</p>')


def colour_legend(labels: dict[str, str]) -> None:
    """Coloured squares with their meaning: label -> colour."""
    entries = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:.7rem;height:.7rem;'
        f'border-radius:2px;background:{colour};margin-right:.35rem"></span>{escape(label)}</span>'
        for label, colour in labels.items()
    )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.85rem">{entries}</div>')


def headline_text(text: str) -> None:
    """The one sentence that says what changed."""
    st.html(
        f'<p style="font-size:1.15rem;line-height:1.5;overflow-wrap:anywhere;margin:.2rem 0" class="headline">'
        f"{escape(text)}</p>"
    )
