"""The table of answers before and after, of a study made by hand: cells, counts, and what is looked at first."""

from __future__ import annotations

import pandas as pd
import pytest
from made_studies import frame, row

from llm_tracker.app.study.answers import (
    answers_sentences,
    became,
    before_after,
    first_shown,
    has_control,
    pattern,
    shown_conditions,
    shown_table,
)
from llm_tracker.app.study.two_models import outcome_rows, outcomes_sentence
from llm_tracker.studies.statistics.tables import two_models

TITLES = {"tiny": "Tiny"}
NAMED = "wrong_alternative"


def of(*cases: tuple[str, str, str]) -> pd.DataFrame:
    """Rows of questions, each by what it was before, merely asked again, and after a word was named."""
    rows = []
    for at, (before, again, after) in enumerate(cases):
        rows.append(row(f"q{at}", "baseline", 3.0, before=before))
        rows.append(row(f"q{at}", "asked_again", 2.0, before=before, after=again))
        rows.append(row(f"q{at}", NAMED, -1.5, before=before, after=after))
    return frame(rows)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("answer", "answer", "stayed right"),
        ("answer", "foil", "became wrong"),
        ("answer", "other", "became neither"),
        ("foil", "answer", "became right"),
        ("foil", "foil", "stayed wrong"),
        ("other", "other", "still neither"),
        ("other", "foil", "became wrong"),
    ],
)
def test_what_became_of_an_answer_is_said_in_two_words(before: str, after: str, said: str) -> None:
    assert became(before, after) == said


def test_each_row_stands_beside_its_control() -> None:
    table = before_after(of(("answer", "answer", "foil")), NAMED)
    shown = shown_table(table, NAMED, TITLES).iloc[0]
    assert shown.to_dict() == {
        "question": "What is q0?",
        "right / foil": "Right / Wrong",
        "first answer": "Right",
        "asked again": "Right",
        "named": "Wrong",
        "answer after": "Wrong",
        "outcome": "became wrong",
        "lead: asked again → after": "+2.0 → −1.5",
        "change": "−3.5",
    }


def test_a_text_in_the_question_is_held_against_the_question_alone() -> None:
    rows = frame([row("q0", "baseline", 3.0), row("q0", "asked_again", 2.0), row("q0", "pre_emptive_simple", 0.5)])
    shown = shown_table(before_after(rows, "pre_emptive_simple"), "pre_emptive_simple", TITLES)
    assert "asked again" not in shown
    assert shown["lead: question alone → after"].tolist() == ["+3.0 → +0.50"]


def test_merely_asking_again_has_no_control_but_itself() -> None:
    assert not has_control("asked_again")
    shown = shown_table(before_after(of(("answer", "foil", "foil")), "asked_again"), "asked_again", TITLES)
    assert shown.columns.tolist()[-2:] == ["outcome", "lead"]
    assert shown["outcome"].tolist() == ["became wrong"]


def test_the_counts_stand_beside_those_of_merely_asking_again() -> None:
    rows = of(
        ("answer", "answer", "foil"),
        ("answer", "foil", "other"),
        ("answer", "answer", "answer"),
        ("foil", "answer", "answer"),
        ("other", "other", "answer"),
    )
    (said,) = answers_sentences(before_after(rows, NAMED), NAMED, TITLES)
    assert said == (
        "2 of 3 right first answers did not stay right (merely asked again: 1). "
        "1 of 1 wrong first answers became right (merely asked again: 1). "
        "1 first answer was neither of the two words: “Maybe”. If it is right too, add it to the right "
        "word, with “|” between them, as in Eight|8."
    )


def test_where_no_first_answer_was_right_it_says_so() -> None:
    (said,) = answers_sentences(before_after(of(("foil", "foil", "foil")), NAMED), NAMED, TITLES)
    assert said == "No first answer was right. 0 of 1 wrong first answers became right (merely asked again: 0)."


def test_the_first_condition_that_names_a_word_is_looked_at_first() -> None:
    rows = frame([row("q0", name, 1.0) for name in ("baseline", "asked_again", "right", "wrong", NAMED, "mention")])
    assert shown_conditions(rows) == ["asked_again", "right", "wrong", NAMED, "mention"]
    assert first_shown(rows) == NAMED
    assert first_shown(rows[rows["condition"].isin(["baseline", "asked_again", "right"])]) == "right"
    assert first_shown(rows[rows["condition"].isin(["baseline", "asked_again"])]) == "asked_again"


def test_what_was_said_stands_above_the_table_where_only_the_named_word_differs() -> None:
    told = frame(
        [
            row("q0", NAMED, 1.0, text="No, it is Wrong.", names="foil"),
            row("q1", NAMED, 1.0, before="foil", text="No, it is Right.", names="answer"),
        ]
    )
    table = told.assign(again="")
    assert pattern(table) == "No, it is ⟨named⟩."
    assert pattern(table.assign(text=["No, it is Wrong.", "Or Right?"])) == ""


def test_two_models_are_counted_by_who_gave_up_beside_merely_asking_again() -> None:
    first = of(("answer", "answer", "foil"), ("answer", "answer", "foil"), ("answer", "answer", "answer"))
    second = of(("answer", "foil", "foil"), ("answer", "answer", "answer"), ("foil", "foil", "foil"))
    rows = pd.concat([first, second.assign(model="other")])
    found, again = two_models(rows, NAMED), two_models(rows, "asked_again")
    assert outcomes_sentence(found, "A", "B", again) == (
        "Both answered 2 of 3 questions right at first. Of these both lost 1, only A 1, only B 0, neither 0. "
        "Merely asked again, both lost 0, only A 0, only B 1, neither 1. Lost is an answer that did not stay right."
    )
    none = pd.concat([of(("foil", "foil", "foil")), of(("answer", "answer", "foil")).assign(model="other")])
    assert outcomes_sentence(two_models(none, NAMED), "A", "B", None).startswith("No question was answered right")


def test_an_answer_that_is_empty_is_said_to_be_nothing_in_both_tables() -> None:
    rows = of(("answer", "answer", "foil")).assign(answer_text="", first_answer="")
    assert shown_table(before_after(rows, NAMED), NAMED, TITLES)["answer after"].tolist() == ["(nothing)"]
    both = pd.concat([rows, of(("answer", "answer", "foil")).assign(model="other")])
    asked = pd.Series({"q0": "Who?"})
    (row_of_it,) = outcome_rows(two_models(both, NAMED), asked, "A", "B")
    assert row_of_it == ["Who?", "both", "(nothing) → (nothing)", "Right → Wrong"]
