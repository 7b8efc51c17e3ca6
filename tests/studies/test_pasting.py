"""Questions that are pasted into a page: lines or a table, as people and spreadsheets write them."""

from __future__ import annotations

import pytest
from any_input import any_input, texts
from hypothesis import given

from llm_tracker.errors import InputError
from llm_tracker.studies.values.reading import pasted_questions


def words(text: str) -> list[tuple[str, str, str]]:
    return [(each.question, each.answer, each.foil) for each in pasted_questions(text)]


def said(text: str) -> str:
    with pytest.raises(InputError) as caught:
        pasted_questions(text)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Capital of France?, Paris, London",
        "\ufeffCapital of France?,Paris,London\n",
        "\n\n Capital of France? ; Paris ; London ;\r\n\n",
        "Capital of France?\tParis\tLondon",
        "Capital of France?|Paris|London",
        '"Capital of France?", "Paris", "London"',
        "Question,Answer,Foil\nCapital of France?,Paris,London",
        "\n \nfoil; held_out; answer; question\nLondon; yes; Paris; Capital of France?",
        "question\tanswer\tfoil\taliases\nCapital of France?\tParis\tLondon\tParigi|Lutetia",
    ],
)
def test_a_line_may_be_cut_in_several_ways(text: str) -> None:
    assert words(text) == [("Capital of France?", "Paris", "London")]


def test_marks_within_a_line_are_no_cuts_where_they_make_too_few_cells() -> None:
    assert words("A or B; which?, A, B") == [("A or B; which?", "A", "B")]
    assert words("Is it A|B?, A, B") == [("Is it A|B?", "A", "B")]
    assert words("Which of them, A or B?; A; B") == [("Which of them, A or B?", "A", "B")]
    assert words('"Which of them, A or B?", A, B\nC?, D, E')[0] == ("Which of them, A or B?", "A", "B")


def test_a_table_has_its_other_columns() -> None:
    (found,) = pasted_questions("id\tquestion\tanswer\tfoil\taliases\theld_out\nx\tQ?\tA\tB\tC| D\tTRUE")
    assert (found.id, found.aliases, found.held_out) == ("x", ("C", "D"), True)


def test_a_cell_may_have_line_ends_within_quotes() -> None:
    assert words('"First line.\nSecond line?", A, B\nC?, D, E') == [
        ("First line.\nSecond line?", "A", "B"),
        ("C?", "D", "E"),
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "There are no questions yet. Type one on each line: question, answer, foil."),
        (" \n\t\n", "There are no questions yet."),
        (",", "There are no questions yet."),
        ("Q?, A", "What was typed, row 1: there is no foil. Write question, answer, foil, with a comma"),
        ("\n\nQ?, A, B\nQ, too?, A, B", "What was typed, row 4: there are 4 cells where 3 belong"),
        ("Q?, A, B\n\nQ2?, , B", "What was typed, row 3: “answer” is empty. Give one."),
        ("question, answer, foil\nQ?, A, A", "What was typed, row 2: “foil” is A, which is the right word."),
        ("question, answer, foil", "What was typed has no questions. Give at least one."),
        ('Q?, A, B\n“Q”?, A, B\n"Q"?, A, B', "What was typed, line 3: this is no row of a table"),
        ("Q?, A, B\n" + "x" * 140_000, "What was typed, line 2: this is no row of a table"),
        ("x" * 140_000, "What was typed, line 1: this is no row of a table"),
    ],
)
def test_what_is_wrong_is_named_by_the_line_as_it_was_typed(text: str, error: str) -> None:
    assert said(text).startswith(error)


@given(texts)
@any_input
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        found = len(pasted_questions(text))
    except InputError:
        found = 1
    assert found
