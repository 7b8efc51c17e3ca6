"""The sections of a report as HTML: what was said, each figure with its numbers, and where all of it comes from."""

from __future__ import annotations

from html import escape
from itertools import groupby

from llm_tracker.export.html_text import exact, facts, folded, frame_table, sentence
from llm_tracker.figures.figure import Figure
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.session import Decoding, Session, Turn
from llm_tracker.wording.answers import thought_note
from llm_tracker.wording.correction.edits import EDITED, edit_label
from llm_tracker.wording.formats import capitalised, visible

CHART_ID = "chart-{}"
"""Of the element in which a figure's chart is drawn, by the figure's place."""

UNSAID = ("template", "recipe")
"""Roles of what nobody said in this conversation."""


def conversation_html(session: Session) -> str:
    """All turns in order, each with its answer, with what the model read, and with its control where it has one."""
    return "".join(
        _turn_html("Question" if at == 0 else f"Correction {at}", turn)
        + (_turn_html(f"Control of correction {at}", session.controls[at], "control") if at in session.controls else "")
        for at, turn in enumerate(session.turns)
    )


def _turn_html(name: str, turn: Turn, kind: str = "") -> str:
    answer = exact(turn.answer) or ("(an empty answer)" if turn.has_answer else "(no answer)")
    return (
        f'<article class="turn {kind}"><h3>{name}</h3><p class="said" dir="auto">{exact(turn.said)}</p>'
        f'<p class="answer" dir="auto">{answer}</p><p class="quiet">{ending(turn)}</p>'
        f"{''.join(f'<p>{sentence(notice)}</p>' for notice in turn.prompt.notices)}"
        f"{_thought_html(name, turn)}{_prompt_html(name, turn.prompt)}</article>"
    )


def _thought_html(name: str, turn: Turn) -> str:
    """What the model wrote before its answer, folded; nothing where it did not reason first."""
    if turn.thought is None:
        return ""
    return folded(f"Its thought: {thought_note(turn.thought)}", _text(exact(turn.thought.text), f"Its thought, {name}"))


def ending(turn: Turn) -> str:
    """How an answer ended, in a sentence."""
    if not turn.has_answer:
        return f"No answer came: it {'was stopped by hand' if turn.ended == 'stopped' else 'ended'} within its thought."
    how = {"end": "Ended by itself", "newline": "Ended with its line", "limit": "Cut", "stopped": "Stopped by hand"}
    count = len(turn.answer_steps)
    edited = "" if turn.edit is None else f" {capitalised(EDITED)}{edit_label(turn.edit)}."
    return f"{how[turn.ended]} after {count:,} {'token' if count == 1 else 'tokens'}.{edited}"


def _prompt_html(name: str, prompt: Prompt) -> str:
    """The exact text in front of an answer, folded; what the template and the worked examples wrote stands back."""
    runs = (
        (role in UNSAID, exact("".join(word.text for word in words)))
        for role, words in groupby(prompt.words, key=lambda word: word.role)
    )
    text = "".join(f'<span class="unsaid">{run}</span>' if unsaid else run for unsaid, run in runs)
    note = '<p class="quiet">What the template and the worked examples wrote is grey.</p>'
    read = _text(text, f"What the model read, {name}")
    return folded(f"What the model read: {len(prompt.token_ids):,} tokens", f"{note}{read}")


def _text(content: str, label: str) -> str:
    """A long text that can be scrolled by keyboard."""
    return f'<pre class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">{content}</pre>'


def figure_html(at: int, figure: Figure, scrolls: bool) -> str:
    """A figure: the place of its chart with a text in its stead, its sentence, and its numbers, folded.

    `scrolls`: its chart keeps a width of its own, which its place may lack.
    """
    label = escape(visible(f"{figure.title}. {figure.sentence}"))
    place = f'<div id="{CHART_ID.format(at)}" aria-hidden="true"></div>'
    chart = f'<div class="chart" role="img" aria-label="{label}">{place}</div>'
    if scrolls:
        name = escape(visible(f"{figure.title}, scrolls sideways"))
        chart = f'<div class="scroll wide" tabindex="0" role="group" aria-label="{name}">{chart}</div>'
    return (
        f'<article class="figure"><h3>{sentence(figure.title)}</h3>{chart}<p>{sentence(figure.sentence)}</p>'
        f"{folded('Table: its numbers', frame_table(figure.title, figure.frame))}</article>"
    )


def provenance_html(session: Session, made_at: str) -> str:
    """What made these numbers: the model, how it was asked, the versions, and when."""
    model, template = session.model, session.template
    layers = f"{model.n_layers} layers, {model.n_heads} heads, read by {model.adapter}"
    told = facts(
        {
            "Model": model.title,
            "Id": model.id,
            "Revision": model.revision or "",
            "SHA-256 of its weights": model.weights_sha256 or "",
            "Architecture": f"{model.model_type}, {layers}",
            "Numbers": f"{model.dtype} on {model.device}",
            "Decoding": decoding_text(session.decoding),
            "Recipe": session.recipe,
            "Template arguments": ", ".join(f"{name}: {str(on).lower()}" for name, on in template.arguments.items()),
            "Date in the template": template.date,
            "Longest thought": f"{session.decoding.max_thought_tokens:,} tokens" if template.thinks else "",
            "Versions": ", ".join(f"{name} {version}" for name, version in session.versions.items()),
            "Made": made_at,
        }
    )
    return told + "".join(f'<p class="quiet">{sentence(notice)}</p>' for notice in model.notices)


def decoding_text(decoding: Decoding) -> str:
    """How each token was chosen."""
    limit = f"at most {decoding.max_new_tokens:,} tokens an answer"
    if decoding.temperature is None:
        return f"greedy: always the likeliest token; {limit}"
    return f"sampled at temperature {decoding.temperature:g}, top-p {decoding.top_p:g}, seed {decoding.seed}; {limit}"
