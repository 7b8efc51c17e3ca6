"""Question sets from files and from pasted text; what is wrong is named by row and column."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from llm_tracker.errors import InputError, one_line
from llm_tracker.studies.values.questions import Question, QuestionSet

OWN = "questions"
"""The name of the project's own set."""

PASTED = "what was pasted"

COLUMNS = ("id", "question", "answer", "aliases", "foil", "category", "difficulty", "held_out")
NEEDED = ("question", "answer", "foil")
KINDS = (".csv", ".jsonl", ".parquet")

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")

MOST_BYTES = 64 * 2**20
"""Of a file of questions: a larger one is no list of questions."""


def own_questions() -> QuestionSet:
    """The project's own 120 questions (docs/questions.md)."""
    text = files("llm_tracker.studies.question_set").joinpath("questions.csv").read_text(encoding="utf-8")
    return question_set(OWN, _csv_rows(OWN, text))


def read_questions(source: str | Path) -> QuestionSet:
    """The questions of a CSV, JSON Lines or Parquet file; `questions` is the project's own set.

    Only the columns question, answer and foil are needed; aliases are separated by “|”, held_out is true or false, and
    columns that are not known are left alone. A question without an id is called by its row. Raises InputError for a
    file that cannot be read, and for what is wrong in it, by row and column.
    """
    if str(source) == OWN and not Path(source).exists():
        return own_questions()
    file = Path(source)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InputError(f"{file} has more than {MOST_BYTES >> 20} MiB. Give a smaller set of questions.")
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"The questions in {file} cannot be read: {error.strerror}. Name another file.") from error
    return questions_in(file.name, content)


def questions_in(name: str, content: bytes) -> QuestionSet:
    """The questions of a file that was handed over; its kind is told by its name. Raises InputError as above."""
    kind = Path(name).suffix.lower()
    if kind not in KINDS:
        raise InputError(f"{name} is none of {', '.join(KINDS)}. Give the questions in one of these.")
    if kind == ".parquet":
        return question_set(name, _parquet_rows(name, content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    return question_set(name, _csv_rows(name, text) if kind == ".csv" else _json_rows(name, text))


def pasted_questions(text: str) -> QuestionSet:
    """Questions typed or pasted into a page: a line each, “question, answer, foil”, or a table with a header.

    Cells may be separated by commas, semicolons or tabs, as a spreadsheet copies them. Raises InputError by line.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError("There are no questions yet. Type one on each line: question, answer, foil.")
    mark = next((mark for mark in "\t;|," if mark in lines[0]), ",")
    rows = list(csv.reader(lines, delimiter=mark, skipinitialspace=True))
    header = [cell.strip().lower() for cell in rows[0]]
    has_header = set(NEEDED) <= set(header)
    return question_set(PASTED, _named(PASTED, header if has_header else NEEDED, rows, int(has_header)))


def question_set(name: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> QuestionSet:
    """A set of plain rows, each with its number: by it is called what is wrong.

    Raises InputError, with the row and the column, for a question that cannot be asked.
    """
    questions = []
    for at, row in rows:
        try:
            questions.append(_question(row, f"row-{at}"))
        except InputError as error:
            raise InputError(f"{name}, row {at}: {error}", error.parameters) from error
    return QuestionSet(name, tuple(questions))


def _question(row: Mapping[str, Any], called: str) -> Question:
    missing = [column for column in NEEDED if column not in row]
    if missing:
        raise InputError(f"there is no column “{missing[0]}”. Needed are: {', '.join(NEEDED)}.", missing[0])
    text = {column: _text(row.get(column)) for column in COLUMNS}
    return Question(
        id=text["id"] or called,
        question=text["question"],
        answer=text["answer"],
        foil=text["foil"],
        aliases=tuple(alias.strip() for alias in text["aliases"].split("|") if alias.strip()),
        category=text["category"],
        difficulty=text["difficulty"],
        held_out=_truth(text["held_out"]),
    )


def _text(value: Any) -> str:
    """A cell as text; an empty one of a Parquet file or a JSON null is no text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return "|".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value).strip()


def _truth(text: str) -> bool:
    if text.lower() not in (*TRUE, *FALSE):
        raise InputError(f"“held_out” is {text}. Give true or false.", "held_out")
    return text.lower() in TRUE


Rows = list[tuple[int, Mapping[str, Any]]]


def _csv_rows(name: str, text: str) -> Rows:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise InputError(f"{name} is no CSV file: {one_line(error)}. Save it as comma-separated values.") from error
    if not rows:
        return []
    return _named(name, [cell.strip().lower() for cell in rows[0]], rows, 1)


def _named(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], first: int) -> Rows:
    """Rows behind the first so many, their cells by the names of the columns; the first of all is row 1."""
    filled = [(at, row) for at, row in enumerate(rows, 1) if at > first and any(map(str.strip, row))]
    return [(at, _cells(name, header, row, at)) for at, row in filled]


def _cells(name: str, header: Sequence[str], row: Sequence[str], at: int) -> dict[str, str]:
    if len(row) > len(header) or not set(NEEDED) & set(header) <= set(header[: len(row)]):
        raise InputError(
            f"{name}, row {at}: there are {len(row)} cells where {len(header)} belong ({', '.join(header)}). "
            "A cell with a comma in it needs quotes around it."
        )
    return dict(zip(header, row, strict=False))


def _json_rows(name: str, text: str) -> Rows:
    rows: Rows = []
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{name}, line {at}: this is no JSON ({error.msg}). Give an object on each line."
            ) from error
        if not isinstance(row, dict):
            raise InputError(f"{name}, line {at}: this is no object. Give one on each line, with {', '.join(NEEDED)}.")
        rows.append((at, row))
    return rows


def _parquet_rows(name: str, content: bytes) -> Rows:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return list(enumerate(parquet.read_table(io.BytesIO(content)).to_pylist(), 1))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name} is no Parquet file that can be read ({one_line(error)}).") from error
