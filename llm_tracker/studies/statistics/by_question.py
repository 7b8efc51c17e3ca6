"""A row for each question: its wordings are averaged first, for they are no new questions."""

from __future__ import annotations

import pandas as pd

GROUP = ["model", "dtype", "condition", "pushes"]
"""What a summary is of: a condition of a model, told apart by which of the two words it pushes."""


def with_direction(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with `pushes`: whether a text names the right word (“answer”), the foil (“foil”), or none (“”)."""
    pushes = pd.Series("", index=rows.index, dtype=object)
    pushes[(rows["named"] != "") & (rows["named"] == rows["foil"])] = "foil"
    pushes[(rows["named"] != "") & (rows["named"] == rows["answer"])] = "answer"
    return rows.assign(pushes=pushes)


def by_question(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each model, condition and question: the mean of its numbers over the wordings.

    Columns: model, dtype, condition, pushes, question_id, held_out, margin, truth_margin, sensitivity, flipped (share
    of the wordings), score_answer, is_right and was_right (of the written answers: after, in share of the wordings, and
    before), entropy_nats, tv_from_asked_again. Questions stand in their order.
    """
    marked = with_direction(rows).assign(
        is_right=rows["grade"] == "answer", was_right=rows["grade_before"] == "answer", flipped=rows["flipped"]
    )
    numbers = ["margin", "truth_margin", "sensitivity", "flipped", "score_answer", "is_right", "was_right"]
    numbers += ["entropy_nats", "tv_from_asked_again"]
    keys = [*GROUP, "question_id", "held_out"]
    return marked.groupby(keys, sort=False)[numbers].mean().reset_index()


def first_wordings(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each condition's first wording: what was written and what flipped, counted question by question."""
    return with_direction(rows[rows["paraphrase"] == 0])
