"""What a study found: the answers before and after, two models side by side, the views, and the published tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, plain_label, table_html
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.study.answers import (
    MOST_ROWS,
    answers_sentences,
    before_after,
    caption,
    condition_labels,
    first_shown,
    numbers_of,
    pattern,
    shown_conditions,
    shown_table,
    with_pending,
)
from llm_tracker.app.study.found import FoundStudy
from llm_tracker.app.study.two_models import two_models_view
from llm_tracker.export import tables
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, within_a_sentence
from llm_tracker.wording.formats import quoted
from llm_tracker.wording.studies.asked import limits_paragraphs
from llm_tracker.wording.studies.labels import condition_label

LEAD = later(
    "The lead is how far the right word is ahead of the foil as the whole answer, in nats: the logarithm of how many "
    "times as likely it is. Change is what was said does to it beside the control. Neither is an answer that is none "
    "of the two words."
)


def results_view(found: FoundStudy) -> None:
    """All of it, with what it is true of in front."""
    st.header(say("What was found"), anchor=False)
    for said in limits_paragraphs(found.study):
        paragraph(said)
    for model in found.study.models:
        for notice in model.get("notices", ()):
            by = f"{found.titles[str(model['id'])]}: " if len(found.titles) > 1 else ""
            paragraph(f"{by}{notice}", quiet=True)
    condition = _answers(found)
    if len(found.titles) > 1:
        two_models_view(found, condition)
    _views(found)
    _published(found)


def _condition_choice(found: FoundStudy) -> str:
    names = shown_conditions(found.study.rows)
    labels, first = condition_labels(names), first_shown(found.study.rows)
    return str(
        st.selectbox(
            say("What was said"),
            names,
            names.index(first),
            format_func=labels.__getitem__,
            key=labelled_key(f"study shown {found.so_far.plan.digest[:12]}"),
            persist_state="session",
        )
    )


def _answers(found: FoundStudy) -> str:
    """The table under a condition, which is returned."""
    st.header(say("Before and after"), anchor=False)
    condition, titles = _condition_choice(found), found.titles
    table = before_after(found.study.rows, condition)
    if said := pattern(table):
        paragraph(say("Told each time: {said}", said=quoted(said)), quiet=True)
    for said in answers_sentences(table, condition, titles):
        paragraph(said)
    with st.container(key="study_answers"):
        drawn = with_pending(shown_table(table, condition, titles), found.pending)
        cells = drawn.head(MOST_ROWS).to_numpy().tolist()
        st.html(
            table_html(
                caption(say("Answers before and after"), drawn), drawn.columns.tolist(), cells, numbers_of(drawn)
            )
        )
    paragraph(say(LEAD), quiet=True)
    if found.so_far.plan.n_wordings > 1:
        paragraph(say("The table has the first wording; all of them are in results.csv."), quiet=True)
    return condition


def _views(found: FoundStudy) -> None:
    """Each view of a study with its sentence, its numbers and what can be taken along."""
    for figure, picture in found.views:
        st.header(plain_label(figure.title), anchor=False)
        with st.container():
            if picture is not None:
                picture.draw(figure.title)
        paragraph(figure.sentence)
        with st.container():
            if picture is not None:
                export_menu(f"study-{figure.view}", figure)
        title = plain_label(say("Table: {title}", title=within_a_sentence(figure.title)))
        with st.expander(title, key=f"table of {figure.view}"):
            st.html(frame_html(figure.title, figure.frame, found.titles))


def _published(found: FoundStudy) -> None:
    """Tables in the shapes of published ones, folded, each with its source."""
    own = [table for table in found.tables if table.name != "two_models"]  # that one stands above, for any condition
    if not own:
        return
    st.header(say("In the shapes of published tables"), anchor=False)
    for table in own:
        with st.expander(say(table.title), key=f"published {table.name}"):
            if table.source:
                paragraph(
                    say("In the shape of {source}. The numbers are this study's own.", source=table.source), quiet=True
                )
            st.html(frame_html(say(table.title), table.frame, found.titles))
            st.download_button(
                "CSV",
                partial(tables.csv, table.frame),
                file_name=f"{table.name}.csv",
                mime="text/csv",
                key=f"csv of {table.name}",
                on_click="ignore",
            )


def frame_html(title: str, frame: pd.DataFrame, titles: dict[str, str]) -> str:
    """A frame as a table, models and conditions by what they are called, numbers to two decimals."""
    columns = [_name(column) for column in frame.columns]
    numbers = [_name(column) for column in frame.columns if pd.api.types.is_numeric_dtype(frame[column])]
    called: dict[str, Callable[[str], str]] = {
        "model": lambda name: titles.get(name, name),
        "condition": condition_label,
    }
    drawn = frame.head(MOST_ROWS)
    drawn = drawn.assign(**{name: drawn[name].map(call) for name, call in called.items() if name in drawn})
    rows = [list(map(_cell, row)) for row in drawn.itertuples(index=False, name=None)]
    return table_html(caption(title, frame), columns, rows, numbers)


def _name(column: object) -> str:
    return str(column).replace("_", " ")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return "" if value != value else number(value, ".2f")
    return "" if value is None else str(value)
