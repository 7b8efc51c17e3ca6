"""A row for each question: its wordings are averaged first, for they are no new questions."""

from __future__ import annotations

import numpy as np
import pandas as pd

GROUP = ["model", "dtype", "condition", "pushes", "first"]
"""What a summary is of: a condition of a model, told apart by the word that it names, and by the first answer.

“That is wrong.” speaks against a right answer and for a change of a wrong one: their mean would be of neither.
"""

OF_ALL = ("baseline", "asked_again")
"""Conditions that take no side, whatever the first answer was. In their first wording they are the controls."""

DENIALS = ("negation", "pre_emptive_doubt")
"""Conditions that name a word to deny it."""


def with_direction(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with `pushes` and `first`: which word a text names, and what the first answer was.

    `pushes`: the right word (“answer”), the foil (“foil”), or none (“”). `first`: “right”, or “other”; “” of the
    conditions that take no side.
    What a text denies (`DENIALS`) it names, too. A row that is a control itself, or has a margin that is no number, has
    no `sensitivity`, and is not known to be `flipped` (NaN): that it differs from itself by 0 is no finding. Of several
    corrections of the reader's own each is a condition of its own, “user 1”, “user 2”, …: they are no wordings of one
    another, as those of a ready condition are.
    """
    pushes = pd.Series("", index=rows.index, dtype=object)
    pushes[(rows["named"] != "") & (rows["named"] == rows["foil"])] = "foil"
    pushes[(rows["named"] != "") & (rows["named"] == rows["answer"])] = "answer"
    first = (rows["grade_before"] == "answer").map({True: "right", False: "other"})
    is_control = rows["condition"].isin(OF_ALL) & (rows["paraphrase"] == 0)
    measured = rows["sensitivity"].where(np.isfinite(rows["sensitivity"]) & ~is_control)
    return _own_apart(rows).assign(
        pushes=pushes,
        first=first.mask(rows["condition"].isin(OF_ALL), ""),
        sensitivity=measured,
        flipped=rows["flipped"].astype(float).where(measured.notna()),
    )


def _own_apart(rows: pd.DataFrame) -> pd.DataFrame:
    is_own = rows["condition"] == "user"
    if not rows.loc[is_own, "paraphrase"].any():
        return rows
    numbered = "user " + (rows["paraphrase"] + 1).astype(str)
    return rows.assign(
        condition=rows["condition"].mask(is_own, numbered), paraphrase=rows["paraphrase"].mask(is_own, 0)
    )


def by_question(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each model, condition and question: the mean of its numbers over the wordings.

    Columns: model, dtype, condition, pushes, first, question_id, held_out, margin, truth_margin, sensitivity, flipped
    (share of the wordings), score_answer, is_right and was_right (of the written answers: after, in share of the
    wordings, and before), entropy_nats, tv_from_asked_again. Questions stand in their order.
    """
    marked = with_direction(rows).assign(is_right=rows["grade"] == "answer", was_right=rows["grade_before"] == "answer")
    numbers = ["margin", "truth_margin", "sensitivity", "flipped", "score_answer", "is_right", "was_right"]
    numbers += ["entropy_nats", "tv_from_asked_again"]
    keys = [*GROUP, "question_id", "held_out"]
    return marked.groupby(keys, sort=False)[numbers].mean().reset_index()


def first_wordings(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each condition's first wording: what was written and what flipped, counted question by question."""
    marked = with_direction(rows)
    return marked[marked["paraphrase"] == 0]
