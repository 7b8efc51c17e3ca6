"""docs/file-formats.md names every key that is written, and no other: held against what was really saved."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT, first_column, section

import llm_tracker as lt
from llm_tracker.export.stored import stored_zip
from llm_tracker.storage.session_directory import AXES

PAGE = ROOT / "docs" / "file-formats.md"


@dataclass
class Written:
    """Everything that is written, as it was read back."""

    session: dict[str, Any]
    experiment: dict[str, Any]
    plan: dict[str, Any]
    summary: dict[str, Any]
    about: dict[str, Any]
    tables: dict[str, list[str]]


@pytest.fixture(scope="module")
def written(tiny_llama: lt.LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A conversation with its control and an experiment, a study, an archive and a store, of a tiny model."""
    folder = tmp_path_factory.mktemp("written")
    session = lt.track(
        tiny_llama, "Is it Paris?", ["No, London."], control=True, max_new_tokens=3, watch_words=["London"]
    )
    found = lt.experiment(tiny_llama, "Is it Paris?", "Paris", "London", "No, London.", n_wordings=1, max_new_tokens=3)
    session = lt.with_experiment(session, found)
    lt.save_session(session, folder / "session")
    questions = lt.QuestionSet("two", (lt.Question("a", "Is it Paris?", "Paris", "London"),))
    lt.study(questions, [tiny_llama], ["right", "wrong"], out=str(folder / "study"))
    store = lt.open_store(folder / "store.sqlite")
    archive = folder / "kept.zip"
    archive.write_bytes(stored_zip(store, [store.save(session)]))
    with zipfile.ZipFile(archive) as members:
        about = json.loads(members.read("session-1/about.json"))
    return Written(
        session=of(folder / "session" / "session.json"),
        experiment=of(folder / "session" / "experiment.json"),
        plan=of(folder / "study" / "plan.json"),
        summary=of(folder / "study" / "summary.json"),
        about=about,
        tables=columns(folder / "store.sqlite"),
    )


def of(file: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return record


def columns(file: Path) -> dict[str, list[str]]:
    """The columns of each table of a SQLite file, but of its migrations and its search index."""
    with sqlite3.connect(file) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")] for name in names}
    database.close()
    return {name: own for name, own in tables.items() if not name.startswith(("sqlite", "alembic", "session_search"))}


def named(heading: str) -> list[str]:
    return first_column(section(PAGE, heading))


@pytest.mark.parametrize(
    ("heading", "place"),
    [
        ("session.json", ()),
        ("The model", ("model",)),
        ("A turn", ("turns", 1)),
        ("The prompt", ("turns", 1, "prompt")),
        ("A step", ("turns", 1, "steps", 0)),
        ("A whole word", ("words", 1, 0)),
    ],
)
def test_a_table_has_every_key_of_a_session(written: Written, heading: str, place: tuple[str | int, ...]) -> None:
    record: Any = written.session
    for step in place:
        record = record[step]
    assert sorted(named(heading)) == sorted(record)


def test_a_control_is_a_turn_with_the_turn_it_belongs_to(written: Written) -> None:
    assert sorted(written.session["controls"][0]) == sorted([*named("A turn"), "turn", "words"])


def test_keys_within_a_row_are_those_that_it_names(written: Written) -> None:
    text = section(PAGE, "A step")
    step = written.session["turns"][1]["steps"][0]
    inner: Iterable[str] = {
        *step["lens"][0],
        *step["lens"][0]["top"][0],
        *step["top"][0],
        *next(iter(step["watched"].values())),
        *step["attention"],
        *step["attention"]["words"][0],
    }
    assert [key for key in inner if f"`{key}`" not in text] == []


def test_the_arrays_are_those_that_are_written() -> None:
    assert sorted(named("Arrays")) == sorted(AXES)


def test_experiment_json_has_every_key_and_those_of_its_parts(written: Written) -> None:
    text = section(PAGE, "experiment.json")
    assert sorted(first_column(text)) == sorted(written.experiment)
    parts = ("conditions", "lens", "heads", "knockout", "hand_over", "frozen_route", "attribution", "checks")
    firsts = [part[0] if isinstance(part, list) else part for part in (written.experiment[name] for name in parts)]
    known = {"available", "why_not"}
    assert [key for part in firsts for key in part if key not in known and f"`{key}`" not in text] == []


def test_a_studys_plan_and_summary_have_every_key(written: Written) -> None:
    assert sorted(named("plan.json")) == sorted(written.plan)
    text = section(PAGE, "summary.json")
    assert sorted(first_column(text)) == sorted(written.summary)
    known = {"model", "dtype", "condition"}
    assert [key for key in written.summary["conditions"][-1] if key not in known and f"`{key}`" not in text] == []


def test_what_a_user_said_is_in_the_archive(written: Written) -> None:
    assert sorted(named("An archive")) == sorted(written.about)


def test_the_store_has_these_tables_and_columns(written: Written) -> None:
    text = section(PAGE, "The store")
    assert sorted(first_column(text)) == sorted(written.tables)
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    for table, own in written.tables.items():
        assert [column for column in own if f"`{column}`" not in rows[table]] == [], table
