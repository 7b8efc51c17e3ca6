"""What each model says: a row a model, with its parity badge, its answers and how likely the two words were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from llm_tracker.analysis.across_models.runs import NamedRun, format_pairs
from llm_tracker.app.compare.form import Asked
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work.comparing.variants import Comparing, Variant
from llm_tracker.charts.across_models.colours import MODEL_COLOURS
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.across_models.answers import Told, answers_cell, answers_sentence, badge, word_cell
from llm_tracker.wording.formats import quoted

STOPPED = later("Not run: it was stopped before its end. Press the button above to run it.")
STOPPED_AGAIN = later(
    "Not run again with these words: it was stopped before its end. Press the button above to run it."
)


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    label: str
    kind: Literal["", "said", "number"] = ""
    """What sets its cells apart: answers are set as such, numbers stand to the right."""


def answers_view(asked: Asked, comparing: Comparing, runs: Mapping[Variant, NamedRun], is_at_work: bool) -> None:
    """The table and its sentence; a model without the run that was asked for last says why in its place."""
    st.header(say("What each says"), anchor=False)
    words = asked.words
    references = {each.letter: reference for each, reference in format_pairs(list(runs.values()))}
    columns = [
        Column(say("model")),
        Column(say("answers"), "said"),
        *(Column(say("probability of {word}", word=quoted(word))) for word in words),
        Column(say("layers"), "number"),
        Column(say("seconds"), "number"),
    ]
    rows, unfinished = [_head(columns)], _unfinished(asked, comparing)
    for variant in asked.variants:
        if variant in runs:
            rows.append(_row(runs[variant], words, references.get(runs[variant].letter), columns))
        if variant not in unfinished:
            continue
        if variant in comparing.failures:
            rows.append(_absent(asked.label(variant), comparing.failures[variant], ""))
        elif not is_at_work:
            why = say(STOPPED_AGAIN) if variant in runs else say(STOPPED)
            rows.append(_absent(asked.label(variant), why, " quiet"))
    widths = f"minmax(0, 2.1fr) repeat({1 + len(words)}, minmax(0, 1.6fr)) auto auto"
    label = escape(say("What each model says"))
    table = f'<div class="lt-models" role="table" aria-label="{label}" style="grid-template-columns: {widths}">'
    st.html(f"{table}{''.join(rows)}</div>")
    with st.container():
        if said := answers_sentence(list(runs.values())):
            paragraph(said)
        paragraph(say(SECONDS), quiet=True)


def _unfinished(asked: Asked, comparing: Comparing) -> set[Variant]:
    """The models that have not followed the words that were asked for last, as far as these are still shown."""
    missing = set(comparing.missing(comparing.wanted, comparing.words))
    return missing.intersection(comparing.missing(asked.variants, asked.words))


def _head(columns: Sequence[Column]) -> str:
    cells = "".join(
        f'<div class="cell{" number" if column.kind == "number" else ""}" role="columnheader">'
        f"{sentence(column.label)}</div>"
        for column in columns
    )
    return f'<div class="head" role="row">{cells}</div>'


def _row(run: NamedRun, words: Sequence[str], reference: NamedRun | None, columns: Sequence[Column]) -> str:
    model = run.run.session.model
    told = [
        answers_cell(run),
        *(word_cell(run, word, reference) for word in words),
        Told(f"{run.n_layers}"),
        Told(number(run.run.seconds, ".1f")),
    ]
    way = say(
        "{parity}, {dtype} on {device}",
        parity=badge(run.run.parity, model.dtype),
        dtype=model.dtype,
        device=model.device,
    )
    name = (
        f'<div class="cell model" role="rowheader"><i style="background:{MODEL_COLOURS[run.letter]}"></i>'
        f'<b>{run.letter}</b> {sentence(run.name)}<span class="note">{sentence(way)}</span></div>'
    )
    cells = "".join(_cell(each, column) for each, column in zip(told, columns[1:], strict=True))
    return f'<div role="row">{name}{cells}</div>'


def _cell(told: Told, column: Column) -> str:
    kind = f" {column.kind}" if column.kind else ""
    notes = "".join(f'<span class="note">{sentence(note)}</span>' for note in told.notes)
    said = f'<span class="main">{sentence(told.text)}</span>{notes}'
    return f'<div class="cell{kind}" role="cell" data-label="{escape(column.label)}"><div>{said}</div></div>'


def _absent(name: str, why: str, kind: str) -> str:
    """A model that has no run."""
    return (
        f'<div role="row"><div class="cell model" role="rowheader">{sentence(name)}</div>'
        f'<div class="cell wide{kind}" role="cell">{sentence(why)}</div></div>'
    )


SECONDS = later(
    "Probabilities are those of the whole word, in any spelling of case and space, as the whole answer: before → after "
    "the correction. They compare within a model: that one gives a word more than another does not make it the better "
    "answer. Seconds are those of the answers, loading left out."
)
