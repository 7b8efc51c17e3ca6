"""Question sets from files and from pasted text; what is wrong is named by row and column."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from llm_tracker.errors import InputError, one_line
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import fold
from llm_tracker.studies.values.questions import PASTED, Question, QuestionSet, called
from llm_tracker.studies.values.table_rows import NEEDED, Rows, csv_rows, pasted_rows

OWN = "questions"
"""The name of the project's own set."""

COLUMNS = ("id", "question", "answer", "aliases", "foil", "category", "difficulty", "held_out")
KINDS = (".csv", ".jsonl", ".parquet")

MOST_BYTES = 64 * 2**20
"""Of a file of questions: a larger one is no list of questions."""

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")

BETWEEN_ALIASES = "|"


def own_questions() -> QuestionSet:
    """The project's own 120 questions (docs/questions.md)."""
    text = files("llm_tracker.studies.question_set").joinpath("questions.csv").read_text(encoding="utf-8")
    return question_set(OWN, csv_rows(OWN, text))


def read_questions(source: str | Path) -> QuestionSet:
    """The questions of a CSV, JSON Lines or Parquet file; `questions` is the project's own set.

    Only the columns question, answer and foil are needed; aliases are separated by “|” (or a list), held_out is true or
    false, and columns that are not known are left alone. The cells of a CSV file are separated by commas, semicolons or
    tabs. A question without an id is called by its row. Raises InputError for a file that cannot be read, and for what
    is wrong in it, by row and column.
    """
    if not isinstance(source, (str, Path)):
        kind = type(source).__name__
        raise InputError(
            say("Questions are a QuestionSet or the path of a file; these are of the type {kind}.", kind=kind)
        )
    file = Path(source)
    try:
        if str(source) == OWN and not file.is_file():
            return own_questions()
        if file.stat().st_size > MOST_BYTES:
            raise _too_large(str(file))
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or one_line(error)
        raise InputError(
            say("The questions in {file} cannot be read: {why}. Name another file.", file=file, why=why)
        ) from error
    return questions_in(file.name, content)


def questions_in(name: str, content: bytes) -> QuestionSet:
    """The questions of a file that was handed over; its kind is told by its name. Raises InputError as above."""
    kind = Path(name).suffix.lower()
    if kind not in KINDS:
        raise InputError(
            say(
                "{file} is none of {kinds}. Give the questions in one of these.",
                file=called(name),
                kinds=", ".join(KINDS),
            )
        )
    if len(content) > MOST_BYTES:
        raise _too_large(name)
    if kind == ".parquet":
        return question_set(name, _parquet_rows(name, content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            say("{file} is not UTF-8 text (byte {at}). Save it as UTF-8.", file=called(name), at=error.start)
        ) from error
    return question_set(name, csv_rows(name, text) if kind == ".csv" else _json_rows(name, text))


def _too_large(name: str) -> InputError:
    return InputError(
        say(
            "{file} has more than {n} MiB. Give a smaller set of questions.",
            file=called(name),
            n=MOST_BYTES >> 20,
        )
    )


def pasted_questions(text: str) -> QuestionSet:
    """Questions typed or pasted into a page: a line each, “question, answer, foil”, or a table with a header.

    Cells may be separated by commas, semicolons, bars or tabs, as a spreadsheet copies them. Raises InputError by row.
    """
    return question_set(PASTED, pasted_rows(PASTED, text))


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
            raise InputError(
                say("{file}, row {at}: {error}", file=called(name), at=at, error=error), error.parameters
            ) from error
        if question.id in questions:
            raise InputError(
                say(
                    "{file}, row {at}: the id “{id}” stands in row {other} already. Give each question an id "
                    "of its own.",
                    file=called(name),
                    at=at,
                    id=question.id,
                    other=questions[question.id][0],
                ),
                "id",
            )
        words = fold(question.question), fold(question.answer), fold(question.foil)
        if words in asked:
            raise InputError(
                say(
                    "{file}, row {at}: the same question with the same words stands in row {other} already, and "
                    "would count twice. Leave one of them out.",
                    file=called(name),
                    at=at,
                    other=asked[words],
                ),
                "question",
            )
        questions[question.id], asked[words] = (at, question), at
    return QuestionSet(name, tuple(question for _, question in questions.values()))


def _question(row: Mapping[str, Any], called: str) -> Question:
    """The question of a row; `called`: its id where it has none. Raises InputError, by column, for what is wrong."""
    missing = [column for column in NEEDED if column not in row]
    if missing:
        raise InputError(
            say("there is no column “{column}”. Needed are: {needed}.", column=missing[0], needed=", ".join(NEEDED)),
            missing[0],
        )
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
        raise InputError(
            say("“{column}” is no text ({kind}). Give one text.", column=column, kind=type(value).__name__), column
        )
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value).strip()


def _aliases(value: Any) -> tuple[str, ...]:
    """Several names of one word: a list, or a text in which bars stand between them."""
    names = value if isinstance(value, (list, tuple)) else _text("aliases", value).split(BETWEEN_ALIASES)
    return tuple(text for name in names if (text := _text("aliases", name)))


def _truth(text: str) -> bool:
    if text.lower() not in (*TRUE, *FALSE):
        raise InputError(say("“held_out” is {text}. Give true or false.", text=text), "held_out")
    return text.lower() in TRUE


def _json_rows(name: str, text: str) -> Rows:
    return [(at, _json_row(name, at, line)) for at, line in enumerate(text.split("\n"), 1) if line.strip()]


def _json_row(name: str, at: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        why = getattr(error, "msg", None) or one_line(error)
        raise InputError(
            say(
                "{file}, row {at}: this is no JSON ({why}). Give an object on each line.",
                file=called(name),
                at=at,
                why=why,
            )
        ) from error
    if not isinstance(row, dict):
        raise InputError(
            say(
                "{file}, row {at}: this is no object. Give one on each line, with {columns}.",
                file=called(name),
                at=at,
                columns=", ".join(NEEDED),
            )
        )
    return _by_plain_name(row)


def _parquet_rows(name: str, content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        own = [name for name in file.schema_arrow.names if name.strip().lower() in COLUMNS]
        rows = file.read(columns=own).to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(
            say("{file} is no Parquet file that can be read ({error}).", file=called(name), error=one_line(error))
        ) from error
    return enumerate(map(_by_plain_name, rows), 1)


def _by_plain_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row by its columns' names as they are compared: without case and outer white space."""
    return {name.strip().lower(): value for name, value in row.items()}
