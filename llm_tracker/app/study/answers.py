"""The answers before and after, question by question, beside merely asking again: rows in, rows and sentences out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import pandas as pd

from llm_tracker.experiments.values.conditions import REFERENCE_IN_QUESTION, reference_of
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.studies.statistics.tables import without_word
from llm_tracker.studies.values.questions import Question
from llm_tracker.wording.formats import capitalised, listed, quoted, signed_amount
from llm_tracker.wording.studies.labels import condition_label

BY_QUESTION = ["model", "dtype", "question_id"]

MOST_NAMED, MOST_CHARS = 3, 60
"""Answers that a sentence names, and characters of each."""

MOST_ROWS = 200
"""Rows of a table that the page shows; all of them are in its download."""

STAYED = {"answer": later("stayed right"), "foil": later("stayed wrong"), "other": later("still neither")}
BECAME = {"answer": later("became right"), "foil": later("became wrong"), "other": later("became neither")}
"""What became of an answer, by what it is now: the right word, the foil, or neither of the two."""

LEAD_ALONE = later("lead")
LEADS = {True: later("lead: asked again → after"), False: later("lead: question alone → after")}
"""The column of the lead, by whether the condition's control is an answer of its own."""

CHANGE = later("change")
NUMBERS = (LEAD_ALONE, *LEADS.values(), CHANGE)


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
    condition's control), text, named, answer_text, grade_before, grade_again, grade, became, lead_again, lead and
    change (in nats; `change` is the lead beside its control).
    """
    own = _first_wording(rows, condition)
    control = _first_wording(rows, reference_of(condition)).set_index(BY_QUESTION)
    again = control.loc[pd.MultiIndex.from_frame(own[BY_QUESTION])]
    said = ["question", "answer", "foil", "first_answer", "text", "named", "answer_text", "grade_before", "grade"]
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
    return (STAYED if before == after else BECAME)[after]


def has_control(condition: str) -> bool:
    """Whether the control of a condition is an answer of its own, beside the first one."""
    return condition != "asked_again" and reference_of(condition) != REFERENCE_IN_QUESTION


def answers_sentences(table: pd.DataFrame, condition: str, titles: dict[str, str]) -> Iterator[str]:
    """How many answers changed, a line a model, beside how many did when merely asked again."""
    for model, own in table.groupby("model", sort=False):
        by = f"{titles[str(model)]}: " if len(titles) > 1 else ""
        yield by + " ".join(_changes(own, has_control(condition)))


def _changes(own: pd.DataFrame, has_again: bool) -> Iterator[str]:
    right, wrong, neither = (own[own["grade_before"] == grade] for grade in ("answer", "foil", "other"))
    if len(right):
        lost = say(
            "{n} of {all} right first answers did not stay right",
            n=number((right["grade"] != "answer").sum(), ","),
            all=number(len(right), ","),
        )
        yield f"{lost}{_again(right['grade_again'] != 'answer', has_again)}."
    else:
        yield say("No first answer was right.")
    if len(wrong):
        won = say(
            "{n} of {all} wrong first answers became right",
            n=number((wrong["grade"] == "answer").sum(), ","),
            all=number(len(wrong), ","),
        )
        yield f"{won}{_again(wrong['grade_again'] == 'answer', has_again)}."
    if len(neither):
        yield say_n(
            "{n} first answer was neither of the two words: {answers}. If it is right too, add it to the right word, "
            "with “|” between them, as in Eight|8.",
            "{n} first answers were neither of the two words: {answers}. If one is right too, add it to the right word "
            "of its question, with “|” between them, as in Eight|8.",
            len(neither),
            answers=listed([quoted(answer) for answer in _shortened(neither["first_answer"])]),
        )


def _shortened(answers: pd.Series[str]) -> list[str]:
    """The first of some answers, without what is too long to name."""
    told = [textwrap.shorten(answer, MOST_CHARS, placeholder=" …") for answer in dict.fromkeys(answers)]
    return told[:MOST_NAMED]


def _again(changed: pd.Series[bool], has_again: bool) -> str:
    """How many changed so when merely asked again."""
    return f" {say('(merely asked again: {n})', n=number(changed.sum(), ','))}" if has_again else ""


def pattern(table: pd.DataFrame) -> str:
    """What was said in all rows, with ⟨named⟩ where the named word stands; "" where they differ in more than that."""
    texts = {without_word(text, named, "⟨named⟩") for text, named in zip(table["text"], table["named"], strict=True)}
    return texts.pop() if len(texts) == 1 else ""


def shown_table(table: pd.DataFrame, condition: str, titles: dict[str, str]) -> pd.DataFrame:
    """The table as text, as it stands on the page: of what was said the named word, or all where rows differ more."""
    shown = {say("model"): table["model"].map(titles)} if len(titles) > 1 else {}
    shown |= {say("question"): table["question"], say("right / foil"): table["answer"] + " / " + table["foil"]}
    shown[say("first answer")] = table["first_answer"].map(written)
    if has_control(condition):
        shown[say("asked again")] = table["asked_again"].map(written)
    if not pattern(table):
        shown[say("what was said")] = table["text"]
    elif (table["named"] != "").any():
        shown[say("named")] = table["named"]
    shown[say("answer after")] = table["answer_text"].map(written)
    shown[say("outcome")] = table["became"].map(say)
    if condition == "asked_again":
        return pd.DataFrame(shown | {say(LEAD_ALONE): table["lead"].map(signed_amount)})
    shown[say(LEADS[has_control(condition)])] = (
        table["lead_again"].map(signed_amount) + " → " + table["lead"].map(signed_amount)
    )
    return pd.DataFrame(shown | {say(CHANGE): table["change"].map(signed_amount)})


def with_pending(shown: pd.DataFrame, pending: Sequence[tuple[str, Question]]) -> pd.DataFrame:
    """The table with a row for each question that is still to be asked of a model: so it is as long as it will be."""
    rows = [
        {
            say("model"): title,
            say("question"): each.question,
            say("right / foil"): _words(each),
            say("first answer"): say("not asked yet"),
        }
        for title, each in pending
    ]
    return pd.concat([shown, pd.DataFrame(rows).reindex(columns=shown.columns)]).fillna("") if rows else shown


def caption(title: str, frame: pd.DataFrame) -> str:
    """The title of a table, with how many of its rows the page shows where those are not all."""
    n = len(frame)
    if n <= MOST_ROWS:
        return title
    return say("{title}: the first {most} of {n} rows", title=title, most=number(MOST_ROWS, ","), n=number(n, ","))


def _words(question: Question) -> str:
    return f"{question.answer} / {question.foil}"


def numbers_of(shown: pd.DataFrame) -> list[str]:
    """The columns that stand to the right."""
    numbers = {say(name) for name in NUMBERS}
    return [str(name) for name in shown.columns if name in numbers]


def written(answer: object) -> str:
    """An answer as a table shows it."""
    return str(answer) or say("(nothing)")


def condition_labels(names: Sequence[str]) -> dict[str, str]:
    """What the conditions are called, with a capital where they begin with a letter."""
    return {name: capitalised(condition_label(name)) for name in names}
