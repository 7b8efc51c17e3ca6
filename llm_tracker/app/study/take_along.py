"""Take a study along: its rows, its summary, its report, its questions, and the command that makes it again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.study.found import FoundStudy
from llm_tracker.export import tables
from llm_tracker.export.study_report import study_command, study_report
from llm_tracker.studies.values.questions import QuestionSet
from llm_tracker.studies.values.reading import COLUMNS, OWN
from llm_tracker.studies.values.rows import TABLES, TableName
from llm_tracker.studies.values.tables import joined, parquet_bytes

FOLDER = "study"
"""Where the command writes."""

QUESTIONS = "questions.csv"

PARQUET = "application/vnd.apache.parquet"


def take_along(found: FoundStudy) -> None:
    """What can be taken along, made when it is."""
    st.header("Take it along", anchor=False)
    if not found.so_far.is_whole:
        paragraph("Not all is there yet: what is taken along now has what is shown here.", quiet=True)
    command = study_command(found.study, questions_file(found), FOLDER)
    with st.container(horizontal=True):
        for name in TABLES:
            if len(found.study.tables[name]):
                _button(f"{name}.parquet", PARQUET, partial(whole_parquet, found, name))
        _button("results.csv", "text/csv", lambda: tables.csv(found.study.rows))
        _button("summary.json", "application/json", lambda: json.dumps(found.made, ensure_ascii=False, indent=1))
        _button("report.html", "text/html", lambda: study_report(found.study, found.made, command))
        if questions_file(found) == QUESTIONS:
            _button(QUESTIONS, "text/csv", lambda: questions_csv(found.so_far.plan.questions))
    paragraph(
        "A row for each question, text, wording and model; the same files as those of the command below. The report is "
        "one page that needs no network.",
        quiet=True,
    )
    paragraph(f"The command that makes the same study{_beside(found)}", quiet=True)
    st.code(command, language="bash", wrap_lines=True)


def _beside(found: FoundStudy) -> str:
    """What has to lie in the folder where the command is typed."""
    name = questions_file(found)
    return "" if name == OWN else f", with {name} beside it"


def questions_file(found: FoundStudy) -> str:
    """What the command reads: all of our own by their name, a file that was handed over, else one that is made here."""
    so_far = found.so_far
    if so_far.plan.questions.name == OWN:
        return OWN
    return so_far.plan.questions.name if so_far.wish.source == "file" else QUESTIONS


def whole_parquet(found: FoundStudy, name: TableName) -> bytes:
    """A table as the command line writes it."""
    so_far, sink = found.so_far, io.BytesIO()
    blocks = [so_far.blocks[task] for task in so_far.plan.tasks if task in so_far.blocks]
    joined(name, (parquet_bytes(name, block) for block in blocks), sink)
    return sink.getvalue()


def questions_csv(questions: QuestionSet) -> str:
    """A set of questions as a file that `read_questions` reads."""
    rows = [
        {name: getattr(question, name) for name in COLUMNS}
        | {"aliases": "|".join(question.aliases), "held_out": str(question.held_out).lower()}
        for question in questions
    ]
    return tables.csv(pd.DataFrame(rows, columns=list(COLUMNS)))


def _button(name: str, mime: str, make: Callable[[], str | bytes]) -> None:
    st.download_button(name, make, file_name=name, mime=mime, key=f"take {name}", on_click="ignore")
