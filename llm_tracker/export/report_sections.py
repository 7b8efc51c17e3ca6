"""The sections of a report as HTML: what was said, each figure with its numbers, and where all of it comes from."""

from __future__ import annotations

from html import escape
from itertools import groupby

from llm_tracker.export.html_text import exact, facts, folded, frame_table, sentence
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
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
        _turn_html(say("Question") if at == 0 else say("Correction {n}", n=at), turn)
        + (_control_html(at, session.controls[at]) if at in session.controls else "")
        for at, turn in enumerate(session.turns)
    )


def _control_html(at: int, turn: Turn) -> str:
    return _turn_html(say("Control of correction {n}", n=at), turn, "control")


def _turn_html(name: str, turn: Turn, kind: str = "") -> str:
    answer = exact(turn.answer) or escape(say("(an empty answer)") if turn.has_answer else say("(no answer)"))
    return (
        f'<article class="turn {kind}"><h3>{escape(name)}</h3><p class="said" dir="auto">{exact(turn.said)}</p>'
        f'<p class="answer" dir="auto">{answer}</p><p class="quiet">{exact(ending(turn))}</p>'
        f"{''.join(f'<p>{sentence(notice)}</p>' for notice in turn.prompt.notices)}"
        f"{_thought_html(name, turn)}{_prompt_html(name, turn.prompt)}</article>"
    )


def _thought_html(name: str, turn: Turn) -> str:
    """What the model wrote before its answer, folded; nothing where it did not reason first."""
    if turn.thought is None:
        return ""
    label = say("Its thought, {turn}", turn=name)
    summary = say("Its thought: {note}", note=thought_note(turn.thought))
    return folded(summary, _text(exact(turn.thought.text), label))


def ending(turn: Turn) -> str:
    """How an answer ended, in a sentence."""
    if not turn.has_answer:
        if turn.ended == "stopped":
            return say("No answer came: it was stopped by hand within its thought.")
        return say("No answer came: it ended within its thought.")
    edited = "" if turn.edit is None else f" {capitalised(say(EDITED))}{edit_label(turn.edit)}."
    return f"{_ended(turn)}{edited}"


def _ended(turn: Turn) -> str:
    n = len(turn.answer_steps)
    told = number(n, ",")
    if turn.ended == "end":
        return say_n("Ended by itself after {n} token.", "Ended by itself after {n} tokens.", n, n=told)
    if turn.ended == "newline":
        return say_n("Ended with its line after {n} token.", "Ended with its line after {n} tokens.", n, n=told)
    if turn.ended == "limit":
        return say_n("Cut after {n} token.", "Cut after {n} tokens.", n, n=told)
    return say_n("Stopped by hand after {n} token.", "Stopped by hand after {n} tokens.", n, n=told)


def _prompt_html(name: str, prompt: Prompt) -> str:
    """The exact text in front of an answer, folded; what the template and the worked examples wrote stands back."""
    runs = (
        (role in UNSAID, exact("".join(word.text for word in words)))
        for role, words in groupby(prompt.words, key=lambda word: word.role)
    )
    text = "".join(f'<span class="unsaid">{run}</span>' if unsaid else run for unsaid, run in runs)
    note = f'<p class="quiet">{escape(say("What the template and the worked examples wrote is grey."))}</p>'
    read = _text(text, say("What the model read, {turn}", turn=name))
    summary = say("What the model read: {n} tokens", n=number(len(prompt.token_ids), ","))
    return folded(summary, f"{note}{read}")


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
        name = escape(visible(say("{title}, scrolls sideways", title=figure.title)))
        chart = f'<div class="scroll wide" tabindex="0" role="group" aria-label="{name}">{chart}</div>'
    return (
        f'<article class="figure"><h3>{sentence(figure.title)}</h3>{chart}<p>{sentence(figure.sentence)}</p>'
        f"{folded(say('Table: its numbers'), frame_table(figure.title, figure.frame))}</article>"
    )


def provenance_html(session: Session, made_at: str) -> str:
    """What made these numbers: the model, how it was asked, the versions, and when."""
    model, template = session.model, session.template
    told = facts(
        {
            say("Model"): model.title,
            say("Id"): model.id,
            say("Revision"): model.revision or "",
            say("SHA-256 of its weights"): model.weights_sha256 or "",
            say("Architecture"): say(
                "{kind}, {layers} layers, {heads} heads, read by {adapter}",
                kind=model.model_type,
                layers=model.n_layers,
                heads=model.n_heads,
                adapter=model.adapter,
            ),
            say("Numbers"): say("{dtype} on {device}", dtype=model.dtype, device=model.device),
            say("Decoding"): decoding_text(session.decoding),
            say("Recipe"): session.recipe,
            say("Template arguments"): ", ".join(
                f"{name}: {str(on).lower()}" for name, on in template.arguments.items()
            ),
            say("Date in the template"): template.date,
            say("Longest thought"): _longest_thought(session.decoding) if template.thinks else "",
            say("Versions"): ", ".join(f"{name} {version}" for name, version in session.versions.items()),
            say("Made"): made_at,
        }
    )
    return told + "".join(f'<p class="quiet">{sentence(notice)}</p>' for notice in model.notices)


def _longest_thought(decoding: Decoding) -> str:
    return say("{n} tokens", n=number(decoding.max_thought_tokens, ","))


def decoding_text(decoding: Decoding) -> str:
    """How each token was chosen."""
    limit = say("at most {n} tokens an answer", n=number(decoding.max_new_tokens, ","))
    if decoding.temperature is None:
        return f"{say('greedy: always the likeliest token')}; {limit}"
    how = say(
        "sampled at temperature {temperature}, top-p {top_p}, seed {seed}",
        temperature=number(decoding.temperature, "g"),
        top_p=number(decoding.top_p, "g"),
        seed=decoding.seed,
    )
    return f"{how}; {limit}"
