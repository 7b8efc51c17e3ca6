"""The answers before and after, question by question, beside merely asking again: rows in, rows and sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from llm_tracker.studies.values.rows import REFERENCE_IN_QUESTION, reference_of
from llm_tracker.wording.formats import capitalised
from llm_tracker.wording.studies.labels import condition_label

BY_QUESTION = ["model", "dtype", "question_id"]

SIDES = {"answer": "right", "foil": "wrong", "other": "neither"}
"""What a written answer is: the right word, the foil, or neither of the two."""


def shown_conditions(rows: pd.DataFrame) -> list[str]:
    """The conditions that can be looked at, in the order in which they were asked; the question alone is the before."""
    return [name for name in rows["condition"].unique() if name != "baseline"]


def first_shown(rows: pd.DataFrame) -> str:
    """What is looked at first: the first condition that names a word, else the first that says anything."""
    names = shown_conditions(rows)
    naming = [name for name in names if (rows.loc[rows["condition"] == name, "named"] != "").any()]
    return [*naming, *(name for name in names if name != "asked_again"), *names][0]


def before_after(rows: pd.DataFrame, condition: str) -> pd.DataFrame:
    """A row for each model and question, in the first wording.

    Columns: model, dtype, question_id, question, answer, foil, first_answer, asked_again (the answer under the
    condition's control), text, answer_text, grade_before, grade_again, grade, became, lead_again, lead and change (in
    nats; `change` is the lead beside its control).
    """
    own = _first_wording(rows, condition)
    control = _first_wording(rows, reference_of(condition)).set_index(BY_QUESTION)
    again = control.loc[pd.MultiIndex.from_frame(own[BY_QUESTION])]
    said = ["question", "answer", "foil", "first_answer", "text", "answer_text", "grade_before", "grade"]
    return own[[*BY_QUESTION, *said]].assign(
        asked_again=again["answer_text"].to_numpy(),
        grade_again=again["grade"].to_numpy(),
        became=[became(*each) for each in zip(own["grade_before"], own["grade"], strict=True)],
        lead_again=own["truth_margin"],
        lead=own["margin"],
        change=own["margin"] - own["truth_margin"],
    )


def _first_wording(rows: pd.DataFrame, condition: str) -> pd.DataFrame:
    return rows[(rows["condition"] == condition) & (rows["paraphrase"] == 0)].reset_index(drop=True)


def became(before: str, after: str) -> str:
    """What became of an answer: stayed right, became wrong, …; neither is an answer that is none of the two words."""
    return f"{'stayed' if before == after else 'became'} {SIDES[after]}"


def has_control(condition: str) -> bool:
    """Whether the control of a condition is an answer of its own, beside the first one."""
    return condition != "asked_again" and reference_of(condition) != REFERENCE_IN_QUESTION


def answers_sentences(table: pd.DataFrame, condition: str, titles: dict[str, str]) -> Iterator[str]:
    """How many answers changed, a sentence a model, beside how many did when merely asked again."""
    for model, own in table.groupby("model", sort=False):
        by = f"{titles[str(model)]}: " if len(titles) > 1 else ""
        yield by + capitalised(_changes(own, has_control(condition)))


def _changes(own: pd.DataFrame, has_again: bool) -> str:
    right, others = own[own["grade_before"] == "answer"], own[own["grade_before"] != "answer"]
    lost = f"of {_answers(len(right), 'right first')} {(right['grade'] != 'answer').sum()} did not stay right"
    won = f"{(others['grade'] == 'answer').sum()} became right"
    parts = [lost + _again(right["grade_again"] != "answer", has_again)] if len(right) else []
    if len(others):
        which = (
            f"{_answers(len(others), 'other')}" if parts else f"{_answers(len(others), 'first')}, none of them right,"
        )
        parts.append(f"of {which} {won}" + _again(others["grade_again"] == "answer", has_again))
    return f"{'; '.join(parts)}."


def _again(changed: pd.Series[bool], has_again: bool) -> str:
    """How many changed so when merely asked again."""
    return f" (merely asked again: {changed.sum()})" if has_again else ""


def _answers(n: int, kind: str) -> str:
    return f"{n:,} {kind} answer{'' if n == 1 else 's'}"


def shown_table(table: pd.DataFrame, condition: str, titles: dict[str, str]) -> pd.DataFrame:
    """The table as text, as it stands on the page: what was said stands in it where that differs from row to row."""
    control = "asked again" if has_control(condition) else "question alone"
    shown = {"model": table["model"].map(titles)} if len(titles) > 1 else {}
    shown |= {"question": table["question"], "right / foil": table["answer"] + " / " + table["foil"]}
    shown["first answer"] = table["first_answer"].map(_written)
    if has_control(condition):
        shown["asked again"] = table["asked_again"].map(_written)
    if table["text"].nunique() > 1:
        shown["what was said"] = table["text"]
    shown["answer after"] = table["answer_text"].map(_written)
    shown["outcome"] = table["became"]
    if condition == "asked_again":
        return pd.DataFrame(shown | {"lead": table["lead"].map(_signed)})
    shown[f"lead: {control} → after"] = table["lead_again"].map(_signed) + " → " + table["lead"].map(_signed)
    return pd.DataFrame(shown | {"change": table["change"].map(_signed)})


def numbers_of(shown: pd.DataFrame) -> list[str]:
    """The columns that stand to the right."""
    return [str(name) for name in shown.columns if str(name).startswith(("lead", "change"))]


def _signed(nats: float) -> str:
    return f"{nats:+.1f}"


def _written(answer: object) -> str:
    return str(answer) or "(nothing)"


def condition_labels(names: Sequence[str]) -> dict[str, str]:
    """What the conditions are called, with a capital where they begin with a letter."""
    return {name: capitalised(condition_label(name)) for name in names}
