"""What a visitor fills in on the Study page, and the questions and the plan that it stands for."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

from llm_tracker.errors import InputError, one_line
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.studies.values.conditions import require_conditions, require_corrections
from llm_tracker.studies.values.plan import Plan, plan_day, plan_recipe
from llm_tracker.studies.values.questions import QuestionSet
from llm_tracker.studies.values.reading import own_questions, pasted_questions, questions_in

if TYPE_CHECKING:
    from llm_tracker.experiments.values.conditions import ConditionName
    from llm_tracker.load_options import LoadOptions

Source = Literal["typed", "file", "own"]
Part = Literal["10", "30", "80", "120"]

N_ONE_BY_ONE = 12
"""Up to so many questions are read one by one, so that something is there soon; more of them in blocks of `BLOCK`."""

BLOCK = 4

MOST_FILE_BYTES = 8 * 2**20
"""Of a file of questions, unpacked: a Parquet file may hold a thousand times what it weighs."""

EXAMPLE = """What is the capital of France?, Paris, London
What is the color of a banana?, Yellow, Red
What is the opposite of hot?, Cold, Warm"""
"""Three lines to begin with."""

NO_FILE = later("There is no file yet. Choose one above: CSV, JSON Lines or Parquet.")

USUAL: tuple[ConditionName, ...] = ("right", "wrong", "wrong_alternative")


@dataclass(frozen=True)
class Wish:
    """All fields of the form: a page that is opened again has them as they were."""

    source: Source = "typed"
    typed: str = EXAMPLE
    file: QuestionSet | None = None
    """What was handed over last."""
    part: Part = "10"
    """How many of our own questions."""
    conditions: tuple[ConditionName, ...] = USUAL
    """What is said about each answer; asking again is always among it."""
    correction: str = ""
    """The reader's own, which may be none."""
    n_wordings: int = 1
    chain: bool = False
    inside: bool = False
    second: str = ""
    """The id of a second model; "" for none."""


def questions_of(wish: Wish) -> QuestionSet:
    """The questions that are wished for. Raises InputError, with row and column, for what cannot be asked."""
    if wish.source == "own":
        return own_part(wish.part)
    if wish.source == "typed":
        return typed_questions(wish.typed)
    if wish.file is None:
        raise InputError(say(NO_FILE))
    return wish.file


@cache
def own_part(part: Part) -> QuestionSet:
    """Some of our own questions, those that are not held out first; or all of them."""
    whole = own_questions()
    if part == "120":
        return whole
    seen = [question for question in whole if not question.held_out]
    return QuestionSet(f"our own set, {PARTS[part].lower()}", tuple(seen[: int(part)]))


PARTS: Mapping[Part, str] = {
    "10": later("First 10"),
    "30": later("First 30"),
    "80": later("80 not held out"),
    "120": later("All 120"),
}


def typed_questions(text: str) -> QuestionSet:
    """Questions that were typed or pasted. Raises InputError by line."""
    try:
        return pasted_questions(text)
    except csv.Error as error:
        raise InputError(
            say("This is no table that can be read: {why}. Type a question on each line.", why=one_line(error))
        ) from error


def handed_questions(name: str, content: bytes, most: int) -> QuestionSet:
    """The questions of a file; `most` of them are taken. Raises InputError for one that cannot be read."""
    if len(content) > MOST_FILE_BYTES:
        most_mebibytes = MOST_FILE_BYTES >> 20
        raise InputError(
            say("{file} has more than {most} MiB. Give a smaller set of questions.", file=name, most=most_mebibytes)
        )
    if name.lower().endswith(".parquet"):
        _require_small(name, content, most)
    try:
        return questions_in(name, content)
    except (RecursionError, ValueError, MemoryError) as error:
        raise InputError(
            say("{file} cannot be read: {why}. Save it anew, one question a row.", file=name, why=one_line(error))
        ) from error


def _require_small(name: str, content: bytes, most: int) -> None:
    """Look at what a Parquet file says of itself before it is unpacked; one that says nothing is refused later on."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        told = parquet.read_metadata(io.BytesIO(content))
    except (pa.ArrowException, OSError):
        return
    if told.num_rows > most:
        raise InputError(
            say(
                "{file} has {n} rows; at most {most} are taken here. Leave some out.",
                file=name,
                n=number(told.num_rows, ","),
                most=number(most, ","),
            )
        )
    if sum(told.row_group(at).total_byte_size for at in range(told.num_row_groups)) > MOST_FILE_BYTES:
        raise InputError(say("{file} is too large once it is unpacked. Give a smaller set of questions.", file=name))


def plan_of(wish: Wish, questions: QuestionSet, models: tuple[str, ...], recipe: str, load: LoadOptions) -> Plan:
    """The plan of a study. Raises InputError for what cannot be asked."""
    plan = Plan(
        questions=questions,
        models=models,
        conditions=require_conditions(wish.conditions),
        corrections=require_corrections([wish.correction] if wish.correction.strip() else []),
        n_wordings=wish.n_wordings,
        **plan_recipe(recipe),
        chain=wish.chain,
        inside=wish.inside,
        date=plan_day(),
        load=load,
    )
    return replace(plan, n_block=1 if len(questions) <= N_ONE_BY_ONE else BLOCK)
