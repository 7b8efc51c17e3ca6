"""Rows that are written down come back as they were, with all columns, also of no rows, and in the same bytes."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from made_studies import chain, heads, lens, model, path, row
from pandas.testing import assert_frame_equal

from llm_tracker.studies.values.rows import COLUMNS, TABLES, Found, Record, TableName
from llm_tracker.studies.values.tables import (
    frame_of,
    frames_of,
    joined,
    notes_of,
    parquet_bytes,
    read_frame,
    schema_of,
)

ROWS: dict[TableName, list[Record]] = {
    "results": [row("a", "wrong", 1.0, text="“Ünï”, \n|"), row("b", "baseline", -0.5, entropy_nats=float("nan"))],
    "chains": chain("a", "afo"),
    "lens": lens("a", "right", [1.0, 2.0]),
    "paths": [*path("a", [1, 0], [0, 1]), {"question_id": "b", "model": "tiny", "dtype": "float32", "why_not": "No."}],
    "heads": heads("a", (1, 2, 0.5)),
}


def found(rows: dict[TableName, list[Record]] = ROWS) -> Found:
    return Found({name: rows.get(name, []) for name in TABLES}, model(), versions={"torch": "2.13.0"})


@pytest.mark.parametrize("name", ROWS)
def test_rows_come_back_as_they_were_in_the_same_bytes_each_time(name: TableName) -> None:
    content = parquet_bytes(name, found())
    assert parquet_bytes(name, found()) == content
    assert_frame_equal(read_frame(name, content), frame_of(name, ROWS[name]))
    for at, record in enumerate(ROWS[name]):
        read = read_frame(name, content).iloc[at].dropna().to_dict()
        assert read == {key: value for key, value in record.items() if value == value}
    assert notes_of(content) == (model(), {"torch": "2.13.0"})


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_has_its_columns_with_their_types(name: TableName) -> None:
    empty = frame_of(name, [])
    assert list(empty.columns) == list(COLUMNS[name]) == schema_of(name).names
    assert {"model", "dtype", "question_id"} <= set(empty.columns)
    assert_frame_equal(read_frame(name, parquet_bytes(name, found({}))), empty)


def test_several_files_are_joined_in_order() -> None:
    first, second = ({"results": [row(f"{block}{at}", "wrong", 1.0) for at in range(3)]} for block in "ab")
    sink = io.BytesIO()
    assert joined("results", [parquet_bytes("results", found(rows)) for rows in (first, second)], sink) == 6
    whole = read_frame("results", sink.getvalue())
    assert whole["question_id"].tolist() == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert_frame_equal(whole, frames_of([found(first), found(second)])["results"])


def test_only_the_columns_that_are_wanted_are_read() -> None:
    content = parquet_bytes("results", found())
    read = read_frame("results", content, ["question_id", "margin"])
    assert_frame_equal(read, pd.DataFrame({"question_id": ["a", "b"], "margin": [1.0, -0.5]}), check_dtype=False)
