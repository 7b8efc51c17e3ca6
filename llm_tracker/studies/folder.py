"""A study's folder: a file for each block as soon as it is there, so that nothing is lost and nothing done twice.

It is a local path, or any URL that fsspec knows (s3://, gs://, memory://, …). A block is there when its file of results
is: that one is written last, and whole.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from typing import Any

import fsspec
import pandas as pd

from llm_tracker.errors import InputError, one_line
from llm_tracker.languages.texts import say
from llm_tracker.studies.same_origin import require_same_origin
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.rows import TABLES, Found, Record, TableName
from llm_tracker.studies.values.study import Study
from llm_tracker.studies.values.tables import frame_of, joined, notes_of, parquet_bytes, read_frame

PLAN, SUMMARY, REPORT, PARTS = "plan.json", "summary.json", "report.html", "parts"

_PART = re.compile(r"results-(\d+)-(\d+)\.parquet$")


class StudyFolder:
    """Where a study is written. Raises InputError for a place that cannot be had, or has another study in it."""

    def __init__(self, place: str, plan: Plan, resume: bool = False) -> None:
        self.place, self._plan = place, plan
        self._origins: dict[int, tuple[Record, Mapping[str, str]]] = {}
        self.versions: Mapping[str, str] = {}
        try:
            self._files, self._root = fsspec.core.url_to_fs(place)
            self._begin(resume)
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                say(
                    "The study cannot be written to {place}: {error}. Choose another place.",
                    place=place,
                    error=one_line(error),
                ),
                "out",
            ) from error

    def _begin(self, resume: bool) -> None:
        self._files.makedirs(self._path(PARTS), exist_ok=True)
        known = self._plan.record() | {"digest": self._plan.digest}
        if self._files.exists(self._path(PLAN)):
            if not resume:
                raise InputError(
                    say("There is a study in {place} already. Resume it, or choose another place.", place=self.place),
                    "resume",
                )
            if json.loads(self._read(PLAN)).get("digest") != known["digest"]:
                raise InputError(
                    say(
                        "The study in {place} asks other questions, or in another way: its rows would not go "
                        "together with these. Repeat its arguments, or choose another place.",
                        place=self.place,
                    ),
                    "out",
                )
        else:
            self._write(PLAN, json.dumps(known, ensure_ascii=False, indent=1).encode())

    def done(self) -> set[Task]:
        """The blocks that are there."""
        return {Task(*map(int, found.groups())) for name in self._parts() if (found := _PART.match(name))}

    def _parts(self) -> set[str]:
        try:
            return {each.rsplit("/", 1)[-1] for each in self._files.ls(self._path(PARTS), detail=False)}
        except FileNotFoundError:  # where a folder is only what its files' names begin with, an empty one is not there
            return set()

    def keep(self, task: Task, found: Found) -> None:
        """Write a block down. Raises InputError where earlier ones come from other weights, or from other versions."""
        self._require_same(task, found)
        for name in reversed(TABLES):
            if found.tables[name] or name == "results":
                self._write(_part(name, task), parquet_bytes(name, found))

    def _require_same(self, task: Task, found: Found) -> None:
        if task.model not in self._origins:
            earlier = next((each for each in sorted(self.done(), key=_place) if each.model == task.model), None)
            self._origins[task.model] = (
                (found.model, found.versions) if earlier is None else notes_of(self._read(_part("results", earlier)))
            )
        self.versions = found.versions
        require_same_origin(self._plan.models[task.model], *self._origins[task.model], found)

    def finish(self) -> None:
        """Put the blocks together, table by table. All of them have to be there."""
        names = self._parts()
        for name in TABLES:
            there = [task for task in self._plan.tasks if _part(name, task).rsplit("/", 1)[-1] in names]
            if there:
                self._join(name, there)

    def _join(self, name: TableName, tasks: list[Task]) -> None:
        hidden = self._path(_hidden(f"{name}.parquet"))
        with self._files.open(hidden, "wb") as sink:
            joined(name, (self._read(_part(name, task)) for task in tasks), sink)
        self._files.mv(hidden, self._path(f"{name}.parquet"))

    def models(self) -> list[Record]:
        """The models' records, in order."""
        firsts = [min(task.block for task in self.done() if task.model == at) for at in range(len(self._plan.models))]
        notes = [notes_of(self._read(_part("results", Task(at, block)))) for at, block in enumerate(firsts)]
        self.versions = notes[-1][1]
        return [model for model, _ in notes]

    def frame(self, name: TableName) -> pd.DataFrame:
        """A table that was put together; empty where there is none."""
        return _table(self._files, self._root, name)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _read(self, name: str) -> bytes:
        content: bytes = self._files.cat_file(self._path(name))
        return content

    def _write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all: where a machine stops, there is no half of one."""
        _write_whole(self._files, self._path(name), content)


def begun_on(place: str) -> str | None:
    """The day on which the study in a place is asked; None where there is none, or none that can be read."""
    try:
        files, root = fsspec.core.url_to_fs(place)
        date = json.loads(files.cat_file(f"{root}/{PLAN}"))["date"]
    except (OSError, ValueError, LookupError, ImportError):
        return None
    return date if isinstance(date, str) else None


def load_study(place: str) -> Study:
    """A study that was run, from its folder, without a model. Raises InputError where there is none, or half of one."""
    try:
        files, root = fsspec.core.url_to_fs(place)
        plan = json.loads(files.cat_file(f"{root}/{PLAN}"))
        made = json.loads(files.cat_file(f"{root}/{SUMMARY}"))
        tables = {name: _table(files, root, name) for name in TABLES}
        return Study(plan, tuple(made["models"]), made["versions"], tables)
    except (OSError, ValueError, LookupError, ImportError) as error:
        raise InputError(
            say(
                "{place} has no study that is finished ({error}). Run one there, or resume it: llm-tracker study "
                "FILE --out DIR --resume.",
                place=place,
                error=one_line(error),
            ),
            "out",
        ) from error


def _table(files: Any, root: str, name: TableName) -> pd.DataFrame:
    path = f"{root}/{name}.parquet"
    return read_frame(name, files.cat_file(path)) if files.exists(path) else frame_of(name, [])


def write_text(place: str, name: str, content: str) -> None:
    """Write a file of text in a study's folder. Raises InputError where that cannot be done."""
    try:
        files, root = fsspec.core.url_to_fs(place)
        _write_whole(files, f"{root}/{name}", content.encode())
    except OSError as error:
        raise InputError(
            say(
                "{file} cannot be written to {place}: {error}. Free some room there.",
                file=name,
                place=place,
                error=one_line(error),
            ),
            "out",
        ) from error


def _write_whole(files: Any, path: str, content: bytes) -> None:
    if "file" not in _protocols(files):
        files.pipe_file(path, content)
        return
    hidden = _hidden(path)
    with open(hidden, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(hidden, path)


def _part(name: TableName, task: Task) -> str:
    return f"{PARTS}/{name}-{task.model:02d}-{task.block:05d}.parquet"


def _hidden(name: str) -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/.{file}.{uuid.uuid4().hex[:8]}" if folder else f".{file}.{uuid.uuid4().hex[:8]}"


def _place(task: Task) -> tuple[int, int]:
    return task.model, task.block


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
