"""Two models side by side: which right answers both lose, which only one, which neither."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.parts.pictures import remembered
from llm_tracker.app.study.answers import MOST_ROWS, caption, written
from llm_tracker.app.study.found import FoundStudy
from llm_tracker.export import tables
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.studies.statistics.tables import two_models

OUTCOMES = {
    "both": later("both"),
    "only the first": later("only {model}"),
    "only the second": later("only {model}"),
    "neither": later("neither"),
    "not comparable": later("not comparable"),
}
"""Who loses an answer, in the order of the table."""


def two_models_view(found: FoundStudy, condition: str) -> None:
    """The counts under a condition beside those of merely asking again, and the questions one by one."""
    st.header(say("Two models: who loses which right answers"), anchor=False)
    first, second = found.titles.values()
    frame, again = remembered("two models", (found.so_far, condition), lambda: _frames(found, condition))
    paragraph(outcomes_sentence(frame, first, second, None if condition == "asked_again" else again))
    questions = found.study.rows.drop_duplicates("question_id").set_index("question_id")["question"]
    with st.expander(say("Table: question by question"), key="table of two models"):
        columns = [
            say("question"),
            say("lost by"),
            say("{model}: before → after", model=first),
            say("{model}: before → after", model=second),
        ]
        rows = outcome_rows(frame, questions, first, second)
        st.html(table_html(caption(say("Two models, question by question"), frame), columns, rows[:MOST_ROWS]))
        st.download_button(
            "CSV",
            lambda: tables.csv(frame),
            file_name="two-models.csv",
            mime="text/csv",
            key="csv of two models",
            on_click="ignore",
        )


def _frames(found: FoundStudy, condition: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    return two_models(found.study.rows, condition), two_models(found.study.rows, "asked_again")


def outcome_rows(frame: pd.DataFrame, questions: pd.Series[str], first: str, second: str) -> list[list[str]]:
    """The rows of the table, the questions of each outcome together."""
    ordered = frame.sort_values("outcome", key=lambda each: each.map(list(OUTCOMES).index), kind="stable")
    models = {"only the first": first, "only the second": second}
    return [
        [
            str(questions[row["question_id"]]),
            say(OUTCOMES[str(row["outcome"])], model=models.get(str(row["outcome"]), "")),
            *(f"{written(row[f'before_{at}'])} → {written(row[f'after_{at}'])}" for at in (1, 2)),
        ]
        for row in ordered.to_dict("records")
    ]


def outcomes_sentence(frame: pd.DataFrame, first: str, second: str, again: pd.DataFrame | None) -> str:
    """Of the questions that both answered right: how many answers both lost, only one, or neither; and asked again."""
    n = len(frame)
    left_out = int((frame["outcome"] == "not comparable").sum())
    if left_out == n:
        return say("No question was answered right at first by both: there is none that both could lose.")
    sentences = [
        say(
            "Both answered {right} of {n} questions right at first. Of these both lost {both}, only {first} {n_first}, "
            "only {second} {n_second}, neither {neither}.",
            right=number(n - left_out, ","),
            n=number(n, ","),
            **_counts(frame, first, second),
        )
    ]
    if again is not None:
        sentences.append(
            say(
                "Merely asked again, both lost {both}, only {first} {n_first}, only {second} {n_second}, "
                "neither {neither}.",
                **_counts(again, first, second),
            )
        )
    return " ".join([*sentences, say("Lost is an answer that did not stay right.")])


def _counts(frame: pd.DataFrame, first: str, second: str) -> dict[str, str]:
    counts = Counter(frame["outcome"])
    return {
        "first": first,
        "second": second,
        "both": number(counts["both"], ","),
        "n_first": number(counts["only the first"], ","),
        "n_second": number(counts["only the second"], ","),
        "neither": number(counts["neither"], ","),
    }
