"""Take a study along: its rows, its summary, its report, its questions, and the command that makes it again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.study.found import QUESTIONS, FoundStudy
from llm_tracker.export import tables
from llm_tracker.export.study_report import study_report
from llm_tracker.languages.spoken import in_this_language
from llm_tracker.languages.texts import say
from llm_tracker.studies.values.questions import QuestionSet
from llm_tracker.studies.values.reading import COLUMNS, OWN
from llm_tracker.studies.values.rows import TABLES, TableName
from llm_tracker.studies.values.study import Study
from llm_tracker.studies.values.tables import schema_of

PARQUET = "application/vnd.apache.parquet"


def take_along(found: FoundStudy) -> None:
    """What can be taken along, made when it is."""
    st.header(say("Take it along"), anchor=False)
    if not found.so_far.is_whole:
        paragraph(say("Not all is there yet: what is taken along now has what is shown here."), quiet=True)
    with st.container(horizontal=True):
        for name in TABLES:
            if len(found.study.tables[name]):
                _button(f"{name}.parquet", PARQUET, partial(table_parquet, found.study, name))
        _button("results.csv", "text/csv", lambda: tables.csv(found.study.rows))
        _button("summary.json", "application/json", lambda: json.dumps(found.made, ensure_ascii=False, indent=1))
        _button("report.html", "text/html", lambda: study_report(found.study, found.made, found.command))
        if found.questions_file == QUESTIONS:
            _button(QUESTIONS, "text/csv", lambda: questions_csv(found.so_far.plan.questions))
    paragraph(
        say(
            "A row for each question, text, wording and model; the same files as those of the command below. The "
            "report is one page that needs no network."
        ),
        quiet=True,
    )
    if found.questions_file == OWN:
        paragraph(say("The command that makes the same study"), quiet=True)
    else:
        paragraph(
            say("The command that makes the same study, with {file} beside it", file=found.questions_file), quiet=True
        )
    st.code(found.command, language="bash", wrap_lines=True)


def table_parquet(study: Study, name: TableName) -> bytes:
    """One of its tables, with the columns and types of the command line's."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(study.tables[name], schema_of(name), preserve_index=False), sink)
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
    st.download_button(name, in_this_language(make), file_name=name, mime=mime, key=f"take {name}", on_click="ignore")
