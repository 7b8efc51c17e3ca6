"""The project's own questions are what docs/questions.md says of them, and the built-in model answers both ways."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import llm_tracker as lt
from llm_tracker.experiments.values.grading import grade
from llm_tracker.progress import ended
from llm_tracker.prompts.recipes import ONE_WORD
from llm_tracker.prompts.words import fold, words_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "llm_tracker" / "studies" / "question_set"
PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
COLUMNS = "id question answer aliases foil category difficulty held_out note".split()

with (FOLDER / "questions.csv").open(encoding="utf-8", newline="") as file:
    HEADER, *CELLS = csv.reader(file)
ROWS = [dict(zip(HEADER, cells, strict=True)) for cells in CELLS]
HELD_OUT = [row for row in ROWS if row["held_out"] == "true"]


def words(row: dict[str, str]) -> list[str]:
    """The right word and its aliases."""
    return [row["answer"], *(row["aliases"].split("|") if row["aliases"] else ())]


def table() -> dict[str, dict[str, int]]:
    """The page's table of counts: category -> column -> number."""
    header, *lines = re.findall(r"^\| (category \| questions .*|[a-z ]+(?: \| \d+)+) \|$", PAGE, flags=re.MULTILINE)
    names = header.split(" | ")[1:]
    cells = [line.split(" | ") for line in lines]
    return {category: dict(zip(names, map(int, numbers), strict=True)) for category, *numbers in cells}


def listed_as_wrong() -> dict[str, list[str]]:
    """The ids that the page lists as answered wrongly, by category."""
    lines = re.findall(r"^- ([a-z ]+): (`.*`)$", PAGE, flags=re.MULTILINE)
    return {category: re.findall(r"`(.*?)`", ids) for category, ids in lines}


def texts_of_the_project() -> Iterator[str]:
    """All that a reader or a user of the app may come across, but the questions themselves."""
    for room in ("README.md", "docs", "examples", "pages", "scripts", "benchmarks", "llm_tracker"):
        files = [ROOT / room] if (ROOT / room).is_file() else (ROOT / room).rglob("*")
        for path in files:
            if path.suffix in (".py", ".md", ".json", ".ipynb", ".html", ".js") and FOLDER not in path.parents:
                yield fold(path.read_text(encoding="utf-8"))


def test_there_are_120_questions_with_the_columns_of_the_page() -> None:
    assert HEADER == COLUMNS
    assert re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE) == COLUMNS
    assert len(ROWS) == 120


@pytest.mark.parametrize("column", ["id", "question"])
def test_no_id_and_no_question_stands_twice(column: str) -> None:
    assert [each for each, count in Counter(fold(row[column]) for row in ROWS).items() if count > 1] == []


def test_every_question_has_all_that_it_needs() -> None:
    assert [
        row["id"] for row in ROWS if not all(row[column] for column in COLUMNS if column not in ("aliases", "note"))
    ] == []
    assert [row["id"] for row in ROWS if not row["question"].endswith("?")] == []
    assert [row["id"] for row in ROWS if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["id"])] == []
    assert {row["difficulty"] for row in ROWS} == {"easy", "medium", "hard"}
    assert {row["held_out"] for row in ROWS} == {"true", "false"}


def test_nothing_has_a_space_around_it_and_no_word_a_bar_in_it() -> None:
    cells = [cell for row in ROWS for cell in (*row.values(), *words(row))]
    assert [cell for cell in cells if cell != cell.strip()] == []
    assert [row["id"] for row in ROWS if "|" in row["question"] + row["answer"] + row["foil"] or "" in words(row)] == []


@pytest.mark.parametrize("column", ["answer", "foil"])
def test_the_right_and_the_wrong_one_are_each_one_word_with_a_capital(column: str) -> None:
    assert [row[column] for row in ROWS if len(words_of(row[column])) != 1 or not row[column][0].isupper()] == []


def test_the_foil_is_no_name_of_the_right_word_and_no_name_stands_twice() -> None:
    folded = {row["id"]: [fold(word) for word in (*words(row), row["foil"])] for row in ROWS}
    assert [name for name, each in folded.items() if len(set(each)) < len(each)] == []


def test_each_right_word_is_graded_as_right_and_the_foil_as_the_foil() -> None:
    for row in ROWS:
        assert {grade(word, words(row), [row["foil"]]) for word in words(row)} == {"answer"}, row["id"]
        assert grade(row["foil"], words(row), [row["foil"]]) == "foil", row["id"]


def test_no_word_answers_more_than_two_questions() -> None:
    assert [word for word, count in Counter(fold(row["answer"]) for row in ROWS).items() if count > 2] == []


def test_every_third_question_is_held_out_and_a_third_of_every_category() -> None:
    assert ROWS[2::3] == HELD_OUT
    assert len(HELD_OUT) == 40
    sizes, held = (Counter(row["category"] for row in rows) for rows in (ROWS, HELD_OUT))
    assert {category: size for category, size in sizes.items() if abs(held[category] - size / 3) >= 1} == {}


def test_no_question_is_one_of_the_recipes() -> None:
    asked = {fold(message.content) for message in ONE_WORD if message.role == "user"}
    assert fold("Which animal gives milk?") in asked
    assert [row["id"] for row in ROWS if fold(row["question"]) in asked] == []


def test_no_held_out_question_is_used_anywhere_in_the_project() -> None:
    texts = list(texts_of_the_project())
    assert any(fold("What is the capital of France?") in text for text in texts)
    assert [row["id"] for row in HELD_OUT if any(fold(row["question"]) in text for text in texts)] == []


def test_the_page_counts_what_is_in_the_file() -> None:
    groups = {
        category: [row for row in ROWS if row["category"] == category] for category in {r["category"] for r in ROWS}
    }
    counted = {
        category: {
            "questions": len(rows),
            **{level: sum(row["difficulty"] == level for row in rows) for level in ("easy", "medium", "hard")},
            "held out": sum(row["held_out"] == "true" for row in rows),
        }
        for category, rows in {**groups, "all": ROWS}.items()
    }
    of_the_file = ("questions", "easy", "medium", "hard", "held out")
    assert {category: {name: row[name] for name in of_the_file} for category, row in table().items()} == counted


def test_the_page_lists_as_many_wrong_answers_as_its_table_counts() -> None:
    wrong, counts = listed_as_wrong(), table()
    whole = counts.pop("all")
    assert {category: len(ids) for category, ids in wrong.items()} == {
        each: row["wrong"] for each, row in counts.items()
    }
    assert {(row["id"], row["category"]) for row in ROWS} >= {
        (each, name) for name, ids in wrong.items() for each in ids
    }
    assert [name for name, row in counts.items() if row["right"] + row["wrong"] != row["questions"]] == []
    assert (whole["right"], whole["wrong"]) == tuple(
        sum(row[name] for row in counts.values()) for name in ("right", "wrong")
    )
    assert whole["right"] >= 60
    assert whole["wrong"] >= 25


@pytest.mark.real
def test_the_built_in_model_answers_rightly_and_wrongly_as_the_page_says(embedded: lt.LoadedModel) -> None:
    """Every sixth question, none of them held out: all 120 would take a minute and a half."""
    some = ROWS[::6]
    right = {row["id"] for row in some if is_right(embedded, row)}
    assert len(right) >= 60 / 6
    assert len(some) - len(right) >= 25 / 6
    said = {row["id"] for row in some} - {each for ids in listed_as_wrong().values() for each in ids}
    assert len(right ^ said) <= 2  # a close answer changes with how a machine rounds


def is_right(model: lt.LoadedModel, row: dict[str, str]) -> bool:
    """Whether the model's first answer with the default recipe has the right word."""
    session = ended(lt.stream_turn(model, lt.begin_session(model), row["question"]))
    return grade(session.turns[0].answer, words(row), [row["foil"]]) == "answer"
