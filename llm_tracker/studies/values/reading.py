"""Question sets from files and from pasted text; what is wrong is named by row and column."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from llm_tracker.errors import InputError, one_line
from llm_tracker.prompts.words import fold
from llm_tracker.studies.values.questions import Question, QuestionSet

OWN = "questions"
"""The name of the project's own set."""

PASTED = "What was typed"

COLUMNS = ("id", "question", "answer", "aliases", "foil", "category", "difficulty", "held_out")
NEEDED = ("question", "answer", "foil")
KINDS = (".csv", ".jsonl", ".parquet")

MOST_BYTES = 64 * 2**20
"""Of a file of questions: a larger one is no list of questions."""

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")

BETWEEN_ALIASES = "|"

FILE_MARKS, PASTED_MARKS = ",;\t", "\t;|,"
"""What may stand between two cells, what is tried first in front. (“|” in a file stands between aliases.)"""

MOST_CHARACTERS = 10_000
"""Of a first line, by which it is told how a table is cut."""


def own_questions() -> QuestionSet:
    """The project's own 120 questions (docs/questions.md)."""
    text = files("llm_tracker.studies.question_set").joinpath("questions.csv").read_text(encoding="utf-8")
    return question_set(OWN, _csv_rows(OWN, text))


def read_questions(source: str | Path) -> QuestionSet:
    """The questions of a CSV, JSON Lines or Parquet file; `questions` is the project's own set.

    Only the columns question, answer and foil are needed; aliases are separated by “|” (or a list), held_out is true or
    false, and columns that are not known are left alone. The cells of a CSV file are separated by commas, semicolons or
    tabs. A question without an id is called by its row. Raises InputError for a file that cannot be read, and for what
    is wrong in it, by row and column.
    """
    file = Path(source)
    try:
        if str(source) == OWN and not file.is_file():
            return own_questions()
        if file.stat().st_size > MOST_BYTES:
            raise _too_large(str(file))
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"The questions in {file} cannot be read: {why}. Name another file.") from error
    return questions_in(file.name, content)


def questions_in(name: str, content: bytes) -> QuestionSet:
    """The questions of a file that was handed over; its kind is told by its name. Raises InputError as above."""
    kind = Path(name).suffix.lower()
    if kind not in KINDS:
        raise InputError(f"{name} is none of {', '.join(KINDS)}. Give the questions in one of these.")
    if len(content) > MOST_BYTES:
        raise _too_large(name)
    if kind == ".parquet":
        return question_set(name, _parquet_rows(name, content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    return question_set(name, _csv_rows(name, text) if kind == ".csv" else _json_rows(name, text))


def _too_large(name: str) -> InputError:
    return InputError(f"{name} has more than {MOST_BYTES >> 20} MiB. Give a smaller set of questions.")


def pasted_questions(text: str) -> QuestionSet:
    """Questions typed or pasted into a page: a line each, “question, answer, foil”, or a table with a header.

    Cells may be separated by commas, semicolons, bars or tabs, as a spreadsheet copies them. Raises InputError by row.
    """
    text = text.removeprefix("\ufeff")
    rows = _cut(PASTED, text, _mark(text, PASTED_MARKS), skips_spaces=True)
    at = next((at for at, row in enumerate(rows, 1) if _is_filled(row)), None)
    if at is None:
        raise InputError("There are no questions yet. Type one on each line: question, answer, foil.")
    header = [cell.strip().lower() for cell in rows[at - 1]]
    has_header = set(NEEDED) <= set(header)
    return question_set(PASTED, _named(PASTED, header if has_header else NEEDED, rows, at if has_header else 0))


def question_set(name: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> QuestionSet:
    """A set of plain rows, each with its number: by it is called what is wrong.

    Raises InputError, with the row and the column, for a question that cannot be asked.
    """
    questions: dict[str, tuple[int, Question]] = {}
    asked: dict[tuple[str, ...], int] = {}
    for at, row in rows:
        try:
            question = _question(row, f"row-{at}")
        except InputError as error:
            raise InputError(f"{name}, row {at}: {error}", error.parameters) from error
        if question.id in questions:
            raise InputError(
                f"{name}, row {at}: the id “{question.id}” stands in row {questions[question.id][0]} already. "
                "Give each question an id of its own.",
                "id",
            )
        words = fold(question.question), fold(question.answer), fold(question.foil)
        if words in asked:
            raise InputError(
                f"{name}, row {at}: the same question with the same words stands in row {asked[words]} already, and "
                "would count twice. Leave one of them out.",
                "question",
            )
        questions[question.id], asked[words] = (at, question), at
    return QuestionSet(name, tuple(question for _, question in questions.values()))


def _question(row: Mapping[str, Any], called: str) -> Question:
    """The question of a row; `called`: its id where it has none. Raises InputError, by column, for what is wrong."""
    missing = [column for column in NEEDED if column not in row]
    if missing:
        raise InputError(f"there is no column “{missing[0]}”. Needed are: {', '.join(NEEDED)}.", missing[0])
    text = {column: _text(column, row.get(column)) for column in COLUMNS if column != "aliases"}
    return Question(
        id=text["id"] or called,
        question=text["question"],
        answer=text["answer"],
        foil=text["foil"],
        aliases=_aliases(row.get("aliases")),
        category=text["category"],
        difficulty=text["difficulty"],
        held_out=_truth(text["held_out"]),
    )


def _text(column: str, value: Any) -> str:
    """A cell as text; an empty one of a Parquet file or a JSON null is no text, and 7.0 is 7."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (list, tuple, dict, bytes)):
        raise InputError(f"“{column}” is no text ({type(value).__name__}). Give one text.", column)
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value).strip()


def _aliases(value: Any) -> tuple[str, ...]:
    """Several names of one word: a list, or a text in which bars stand between them."""
    names = value if isinstance(value, (list, tuple)) else _text("aliases", value).split(BETWEEN_ALIASES)
    return tuple(text for name in names if (text := _text("aliases", name)))


def _truth(text: str) -> bool:
    if text.lower() not in (*TRUE, *FALSE):
        raise InputError(f"“held_out” is {text}. Give true or false.", "held_out")
    return text.lower() in TRUE


Rows = list[tuple[int, Mapping[str, Any]]]


def _csv_rows(name: str, text: str) -> Rows:
    rows = _cut(name, text, _mark(text, FILE_MARKS))
    at = next((at for at, row in enumerate(rows, 1) if _is_filled(row)), None)
    return [] if at is None else _named(name, [cell.strip().lower() for cell in rows[at - 1]], rows, at)


def _mark(text: str, marks: str) -> str:
    """What stands between the cells of a table, by its first line: a header, or a question with its two words."""
    line = next((line for line in io.StringIO(text, newline="") if line.strip()), "")[:MOST_CHARACTERS]
    cut = {mark: [cell.strip().lower() for cell in next(csv.reader([line], delimiter=mark))] for mark in marks}
    headed = (mark for mark in marks if set(NEEDED) <= set(cut[mark]))
    filled = (mark for mark in marks if len(cut[mark]) >= len(NEEDED))
    return next(headed, next(filled, ","))


def _cut(name: str, text: str, mark: str, skips_spaces: bool = False) -> list[list[str]]:
    """A table's rows, the blank ones too. Raises InputError, by line, for one whose quotation marks do not fit."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=skips_spaces, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise InputError(
            f"{name}, line {reader.line_num}: this is no row of a table ({one_line(error)}). Put quotes around a whole "
            "cell or around none of it, and double those within it."
        ) from error


def _is_filled(row: Sequence[str]) -> bool:
    return any(cell.strip() for cell in row)


def _named(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], first: int) -> Rows:
    """Rows behind the first so many, their cells by the names of the columns; the first of all is row 1."""
    twice = next((column for column in header if column and header.count(column) > 1), None)
    if twice is not None:
        raise InputError(f"{name} has two columns “{twice}”. Leave one of them out.", twice)
    filled = [(at, row) for at, row in enumerate(rows, 1) if at > first and _is_filled(row)]
    return [(at, _cells(name, header, row, at)) for at, row in filled]


def _cells(name: str, header: Sequence[str], row: Sequence[str], at: int) -> dict[str, str]:
    """A row's cells by column. Raises InputError for one with a cell too many, or without one that is needed."""
    missing = [column for column in header[len(row) :] if column in NEEDED]
    if missing:
        raise InputError(
            f"{name}, row {at}: there is no {' and no '.join(missing)}. Write {', '.join(header)}, with a comma "
            "between each and the next."
        )
    if _is_filled(row[len(header) :]):
        raise InputError(
            f"{name}, row {at}: there are {len(row)} cells where {len(header)} belong ({', '.join(header)}). "
            "A cell with a comma in it needs quotes around it."
        )
    return dict(zip(header, row, strict=False))


def _json_rows(name: str, text: str) -> Rows:
    return [(at, _json_row(name, at, line)) for at, line in enumerate(text.split("\n"), 1) if line.strip()]


def _json_row(name: str, at: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        why = getattr(error, "msg", None) or one_line(error)
        raise InputError(f"{name}, row {at}: this is no JSON ({why}). Give an object on each line.") from error
    if not isinstance(row, dict):
        raise InputError(f"{name}, row {at}: this is no object. Give one on each line, with {', '.join(NEEDED)}.")
    return _by_plain_name(row)


def _parquet_rows(name: str, content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        own = [name for name in file.schema_arrow.names if name.strip().lower() in COLUMNS]
        rows = file.read(columns=own).to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(f"{name} is no Parquet file that can be read ({one_line(error)}).") from error
    return enumerate(map(_by_plain_name, rows), 1)


def _by_plain_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row by its columns' names as they are compared: without case and outer white space."""
    return {name.strip().lower(): value for name, value in row.items()}
