"""Rows of questions out of a table of text: a CSV file, or what was typed or pasted."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from llm_tracker.errors import InputError, one_line
from llm_tracker.languages.texts import say
from llm_tracker.studies.values.questions import called

NEEDED = ("question", "answer", "foil")

FILE_MARKS, PASTED_MARKS = ",;\t", "\t;|,"
"""What may stand between two cells, what is tried first in front. (“|” in a file stands between aliases.)"""

MOST_CHARACTERS = 10_000
"""Of a first line, by which it is told how a table is cut."""

Rows = list[tuple[int, Mapping[str, Any]]]


def csv_rows(name: str, text: str) -> Rows:
    """The rows of a CSV file, each with its number, by the names in its header. Raises InputError by line or row."""
    rows = _cut(name, text, _mark(text, FILE_MARKS))
    at = next((at for at, row in enumerate(rows, 1) if _is_filled(row)), None)
    return [] if at is None else _named(name, [cell.strip().lower() for cell in rows[at - 1]], rows, at)


def pasted_rows(name: str, text: str) -> Rows:
    """The rows of a table that was typed or pasted, with a header or without. Raises InputError by line or row."""
    text = text.removeprefix("\ufeff")
    rows = _cut(name, text, _mark(text, PASTED_MARKS), skips_spaces=True)
    at = next((at for at, row in enumerate(rows, 1) if _is_filled(row)), None)
    if at is None:
        raise InputError(say("There are no questions yet. Type one on each line: question, answer, foil."))
    header = [cell.strip().lower() for cell in rows[at - 1]]
    has_header = set(NEEDED) <= set(header)
    return _named(name, header if has_header else NEEDED, rows, at if has_header else 0)


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
            say(
                "{file}, line {at}: this is no row of a table ({error}). Put quotes around a whole cell or "
                "around none of it, and double those within it.",
                file=called(name),
                at=reader.line_num,
                error=one_line(error),
            )
        ) from error


def _is_filled(row: Sequence[str]) -> bool:
    return any(cell.strip() for cell in row)


def _named(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], first: int) -> Rows:
    """Rows behind the first so many, their cells by the names of the columns; the first of all is row 1."""
    twice = next((column for column in header if column and header.count(column) > 1), None)
    if twice is not None:
        raise InputError(
            say("{file} has two columns “{column}”. Leave one of them out.", file=called(name), column=twice), twice
        )
    filled = [(at, row) for at, row in enumerate(rows, 1) if at > first and _is_filled(row)]
    return [(at, _cells(name, header, row, at)) for at, row in filled]


def _both(one: str, other: str) -> str:
    return say("{one} and {other}", one=one, other=other)


def _cells(name: str, header: Sequence[str], row: Sequence[str], at: int) -> dict[str, str]:
    """A row's cells by column. Raises InputError for one with a cell too many, or without one that is needed."""
    missing = [column for column in header[len(row) :] if column in NEEDED]
    if missing:
        raise InputError(
            say(
                "{file}, row {at}: there is {missing}. Write {columns}, with a comma between each and the next.",
                file=called(name),
                at=at,
                missing=reduce(_both, (say("no {column}", column=column) for column in missing)),
                columns=", ".join(header),
            )
        )
    if _is_filled(row[len(header) :]):
        raise InputError(
            say(
                "{file}, row {at}: there are {n} cells where {most} belong ({columns}). A cell with a comma "
                "in it needs quotes around it.",
                file=called(name),
                at=at,
                n=len(row),
                most=len(header),
                columns=", ".join(header),
            )
        )
    return dict(zip(header, row, strict=False))
