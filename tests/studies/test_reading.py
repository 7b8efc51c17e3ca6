"""Questions from files: the same ones from each kind of file, and what is wrong named by row and column."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from any_input import any_input
from hypothesis import given
from hypothesis import strategies as any_of

from llm_tracker.errors import InputError
from llm_tracker.prompts.words import fold
from llm_tracker.studies.values.questions import Question
from llm_tracker.studies.values.reading import COLUMNS, MOST_BYTES, own_questions, questions_in, read_questions

HEADER = "question,answer,foil"
FRANCE = "What is the capital of France?,Paris,London"


def only(text: str, name: str = "q.csv") -> Question:
    (question,) = questions_in(name, text.encode())
    return question


def refused(text: str | bytes, name: str = "q.csv") -> InputError:
    with pytest.raises(InputError) as caught:
        questions_in(name, text.encode() if isinstance(text, str) else text)
    assert "\n" not in str(caught.value)
    return caught.value


def csv_bytes(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows([row | {"aliases": "|".join(row["aliases"])} for row in rows])
    return sink.getvalue().encode()


def json_bytes(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def parquet_bytes(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pd.DataFrame(rows).to_parquet(sink)
    return sink.getvalue()


text = any_of.text(any_of.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).map(
    str.strip
)
cell = text.filter(bool)
rows_of_questions = any_of.lists(
    any_of.fixed_dictionaries(
        {
            "question": cell,
            "answer": cell,
            "foil": cell,
            "aliases": any_of.lists(cell.filter(lambda each: "|" not in each), max_size=3),
            "category": text,
            "difficulty": text,
            "held_out": any_of.booleans(),
        }
    ).filter(lambda row: can_be_asked(row)),
    min_size=1,
    max_size=4,
    unique_by=lambda row: (fold(row["question"]), fold(row["answer"]), fold(row["foil"])),
)


def can_be_asked(row: dict[str, Any]) -> bool:
    try:
        Question(**row | {"id": "1", "aliases": tuple(row["aliases"])})
    except InputError:
        return False
    return True


@given(rows_of_questions)
@any_input
def test_any_text_comes_back_as_it_is_from_each_kind_of_file(rows: list[dict[str, Any]]) -> None:
    named = [row | {"id": f"“{at}”, {row['question']}"} for at, row in enumerate(rows)]
    wanted = [Question(**row | {"aliases": tuple(row["aliases"])}) for row in named]
    found = {
        "q.csv": csv_bytes(named),
        "q.CSV": csv_bytes(named, ";"),
        "tabs.csv": csv_bytes(named, "\t"),
        "q.jsonl": json_bytes(named),
        "q.parquet": parquet_bytes(named),
    }
    for name, content in found.items():
        assert list(questions_in(name, content)) == wanted, name


@given(
    any_of.sampled_from(["q.csv", "q.jsonl"]),
    any_of.one_of(
        any_of.binary(max_size=80), any_of.text(max_size=80).map(lambda each: each.encode("utf-8", "replace"))
    ),
)
@any_input
def test_any_file_is_read_or_refused_in_one_line(name: str, content: bytes) -> None:
    assert name in called_or_refused(name, content)


def called_or_refused(name: str, content: bytes) -> str:
    try:
        return questions_in(name, content).name
    except InputError as error:
        return str(error)


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\n{FRANCE}",
        f"{HEADER}\r\n\r\n{FRANCE}\r\n \r\n",
        f"{HEADER}\r{FRANCE}\r",
        f" Question , ANSWER,Foil,\n{FRANCE}\n",
        f"note,{HEADER},more\nx,{FRANCE},y",
        'question;answer;foil\n"What is the capital of France?";Paris;London',
        "foil\tquestion\tanswer\nLondon\tWhat is the capital of France?\tParis",
        f"{HEADER},aliases\n{FRANCE}",
        f"{HEADER}\n{FRANCE},,",
    ],
)
def test_a_table_may_look_in_many_ways(content: str) -> None:
    found = only(content)
    assert (found.question, found.answer, found.foil) == ("What is the capital of France?", "Paris", "London")
    assert (found.aliases, found.category, found.held_out) == ((), "", False)


def test_quoted_cells_have_commas_quotation_marks_and_line_ends() -> None:
    found = only(f'{HEADER}\n"Who said ""Et tu, Brute?""\n\nThink.",Caesar,"Cicero, Marcus"')
    assert found.question == 'Who said "Et tu, Brute?"\n\nThink.'
    assert found.foil == "Cicero, Marcus"


def test_a_question_without_an_id_is_called_by_its_row_as_a_spreadsheet_counts_it() -> None:
    several = [f"{at}{FRANCE}" for at in range(3)]
    lines = [f"id,{HEADER}", f",{several[0]}", "", f"mine,{several[1]}", f",{several[2]}"]
    assert [each.id for each in questions_in("q.csv", "\n".join(lines).encode())] == ["row-2", "mine", "row-5"]
    behind_a_blank = questions_in("q.csv", "\n".join(["", *lines]).encode())
    assert [each.id for each in behind_a_blank] == ["row-3", "mine", "row-6"]


def test_a_question_that_stands_twice_with_the_same_words_is_refused_by_row() -> None:
    with pytest.raises(InputError, match=r"row 3: the same question .* stands in row 2 already"):
        questions_in("q.csv", f"{HEADER}\n{FRANCE}\n{FRANCE}".encode())


@pytest.mark.parametrize("spelling", ["true", "TRUE", "Yes", "1", " true "])
def test_held_out_is_true_in_several_spellings(spelling: str) -> None:
    assert only(f"{HEADER},held_out\n{FRANCE},{spelling}").held_out


@pytest.mark.parametrize("spelling", ["false", "False", "no", "0", "", " "])
def test_held_out_is_false_in_several_spellings(spelling: str) -> None:
    assert not only(f"{HEADER},held_out\n{FRANCE},{spelling}").held_out


@pytest.mark.parametrize(("value", "is_out"), [(True, True), (False, False), (None, False), (1, True), (0.0, False)])
def test_held_out_may_be_a_value_of_json_or_parquet(value: Any, is_out: bool) -> None:
    row = {"question": "Q?", "answer": "A", "foil": "B", "held_out": value}
    for name, content in (("q.jsonl", json_bytes([row])), ("q.parquet", parquet_bytes([row]))):
        (found,) = questions_in(name, content)
        assert found.held_out is is_out


def test_numbers_are_words_and_whole_ones_have_no_point() -> None:
    row = {"question": "How many?", "answer": 7.0, "foil": 8, "aliases": ["seven", "VII|7"], "id": 12}
    for name, content in (("q.jsonl", json_bytes([row])), ("q.parquet", parquet_bytes([row]))):
        (found,) = questions_in(name, content)
        assert (found.id, found.answer, found.foil) == ("12", "7", "8")
        assert found.aliases == ("seven", "VII|7"), "a list has its words as they are"
    (frame,) = questions_in("q.parquet", parquet_bytes([row | {"aliases": None, "category": float("nan")}]))
    assert (frame.aliases, frame.category) == ((), "")


def test_names_of_columns_are_the_same_in_any_case_in_each_kind_of_file() -> None:
    row = {"Question": "Q?", " ANSWER": "A", "foil": "B", "unknown": {"a": [1]}}
    for name, content in (("q.jsonl", json_bytes([row])), ("q.parquet", parquet_bytes([row]))):
        assert [each.answer for each in questions_in(name, content)] == ["A"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{HEADER}\n{FRANCE}\nQ?,,B", "q.csv, row 3: “answer” is empty."),
        (f"{HEADER}\n\n\nQ?,A,a", "q.csv, row 4: “foil” is a, which is the right word."),
        (f"{HEADER},aliases\nQ?,A,B,C| b ", "q.csv, row 2: “foil” is B, which is the right word."),
        (f"{HEADER},held_out\nQ?,A,B,perhaps", "q.csv, row 2: “held_out” is perhaps. Give true or false."),
        ("question,answer\nQ?,A", "q.csv, row 2: there is no column “foil”. Needed are: question, answer, foil."),
        ("Q?,A,B\nQ2?,A,B", "q.csv, row 2: there is no column “question”."),
        (f"{HEADER}\nQ?,A", "q.csv, row 2: there is no foil. Write question, answer, foil, with a comma between"),
        (f"{HEADER}\nOne, two?,A,B", "q.csv, row 2: there are 4 cells where 3 belong"),
        (f"{HEADER}\nQ?,A\0,B", "q.csv, row 2: “answer”: The text contains a NUL character"),
        (f"id,{HEADER}\nx,{FRANCE}\n\nx,{FRANCE}", "q.csv, row 4: the id “x” stands in row 2 already."),
        (f"{HEADER},foil\n{FRANCE},Rome", "q.csv has two columns “foil”."),
        (f'{HEADER}\n{FRANCE}\n"Q" is?,A,B', "q.csv, line 3: this is no row of a table"),
        (f'{HEADER}\n"Q?,A,B', "q.csv, line 2: this is no row of a table"),
        (f"{HEADER}\n{'x' * 140_000},A,B", "q.csv, line 2: this is no row of a table (field larger"),
        (HEADER, "q.csv has no questions. Give at least one."),
        ("", "q.csv has no questions. Give at least one."),
    ],
)
def test_what_is_wrong_in_a_table_is_named_by_row_and_column(content: str, said: str) -> None:
    assert str(refused(content)).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"question": "Q?"}\n', "q.jsonl, row 1: there is no column “answer”."),
        ('\n\n{"question": ', "q.jsonl, row 3: this is no JSON (Expecting value). Give an object on each line."),
        ("[1, 2]", "q.jsonl, row 1: this is no object. Give one on each line, with question, answer, foil."),
        ('{"question": "Q?", "answer": ["A", "a"], "foil": "B"}', "q.jsonl, row 1: “answer” is no text (list)."),
        ('{"question": "Q?", "answer": "A", "foil": {}}', "q.jsonl, row 1: “foil” is no text (dict)."),
        ('{"question": "\\ud800?", "answer": "A", "foil": "B"}', "q.jsonl, row 1: “question”: The text contains half"),
        ('{"question": "Q?", "answer": "A", "foil": "B", "category": "\\ud800"}', "q.jsonl, row 1: “category”: The"),
        ("1" * 5000, "q.jsonl, row 1: this is no JSON (Exceeds the limit"),
        ("[" * 100_000, "q.jsonl, row 1: this is no JSON ("),
        (" \n", "q.jsonl has no questions. Give at least one."),
    ],
)
def test_what_is_wrong_in_json_lines_is_named_by_row_and_column(content: str, said: str) -> None:
    assert str(refused(content, "q.jsonl")).startswith(said)


def test_what_is_wrong_in_a_parquet_file_is_named_by_row_and_column() -> None:
    row = {"question": "Q?", "answer": "A", "foil": "B"}
    assert str(refused(parquet_bytes([row, row | {"foil": None}]), "q.parquet")).startswith(
        "q.parquet, row 2: “foil” is empty."
    )
    assert str(refused(parquet_bytes([{"question": "Q?"}]), "q.parquet")).startswith(
        "q.parquet, row 1: there is no column"
    )
    assert str(refused(b"PAR1 and no more", "q.parquet")).startswith("q.parquet is no Parquet file that can be read (")
    assert str(refused(parquet_bytes([row | {"answer": b"A"}]), "q.parquet")).startswith(
        "q.parquet, row 1: “answer” is no text (bytes)."
    )


def test_a_file_of_another_kind_or_in_another_encoding_is_refused() -> None:
    assert str(refused("x", "q.xlsx")) == (
        "q.xlsx is none of .csv, .jsonl, .parquet. Give the questions in one of these."
    )
    assert str(refused(f"{HEADER}\n{FRANCE}".encode("utf-16"))) == "q.csv is not UTF-8 text (byte 0). Save it as UTF-8."


def test_files_are_read_from_where_they_are(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"{HEADER}\n{FRANCE}\n", encoding="utf-8")
    found = read_questions(file)
    assert (found.name, found.questions[0].answer) == ("mine.csv", "Paris")
    for wrong in (tmp_path, tmp_path / "none.csv", "a\0b.csv"):
        with pytest.raises(InputError, match=r"cannot be read: .*[.] Name another file[.]"):
            read_questions(wrong)


def test_a_file_of_65_mib_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as sink:
        sink.truncate(MOST_BYTES + 2**20)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(InputError, match=r"has more than 64 MiB[.] Give a smaller set"):
        read_questions(file)
    with pytest.raises(InputError, match=r"q[.]csv has more than 64 MiB"):
        questions_in("q.csv", bytes(MOST_BYTES + 1))


def test_questions_is_the_projects_own_set_unless_a_file_has_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_questions("questions") == own_questions()
    (tmp_path / "questions").mkdir()
    assert len(read_questions("questions")) == 120, "a folder is no file of questions"
    (tmp_path / "questions").rmdir()
    (tmp_path / "questions").write_text("mine")
    with pytest.raises(InputError, match="questions is none of"):
        read_questions("questions")
