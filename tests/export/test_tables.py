"""Numbers leave as they are: to the last digit, with their types, with any text."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from llm_tracker.export.tables import csv, json_records, parquet

TEXTS = ["·Paris", 'a "quoted", one', "line\nend", "東京 🍎", "", "=1+1"]


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "turn": ["before"] * 3 + ["after"] * 3,
            "token": TEXTS,
            "rank": [1, 2, 3, 1, 2, 978],
            "prob": rng.random(6) ** 9,
            "small": rng.random(6).astype(np.float32),
            "logit": [1.5, math.nan, -math.inf, 1 / 3, 1e-300, 0.1 + 0.2],
        },
        index=[5, 5, 0, 1, 2, 3],
    )


def test_parquet_opens_as_the_same_frame(frame: pd.DataFrame) -> None:
    table = pq.read_table(io.BytesIO(parquet(frame)))
    assert table.column_names == list(frame.columns)
    pd.testing.assert_frame_equal(table.to_pandas(), frame.reset_index(drop=True), check_exact=True)


def test_csv_opens_as_the_same_frame(frame: pd.DataFrame) -> None:
    kinds = {"small": np.float32}
    opened = pd.read_csv(io.StringIO(csv(frame)), dtype=kinds, keep_default_na=False, na_values={"logit": [""]})
    pd.testing.assert_frame_equal(opened, frame.reset_index(drop=True), check_exact=True)
    assert "\r" not in csv(frame)


def test_json_has_an_object_a_row_to_the_last_digit_and_null_for_what_is_no_number(frame: pd.DataFrame) -> None:
    records = json.loads(json_records(frame), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert [record["prob"] for record in records] == frame["prob"].tolist()
    assert [record["token"] for record in records] == TEXTS
    assert [record["logit"] for record in records] == [1.5, None, None, 1 / 3, 1e-300, 0.1 + 0.2]
    assert records[5]["rank"] == 978
    assert "東京 🍎" in json_records(frame), "text that a person can read"


def test_json_takes_lists_and_what_is_missing() -> None:
    frame = pd.DataFrame({"a": [np.array([1.0, math.nan]), (1, "b")], "b": pd.array([1, pd.NA], dtype="Int64")})
    assert json.loads(json_records(frame)) == [{"a": [1.0, None], "b": 1}, {"a": [1, "b"], "b": None}]


def test_a_frame_without_rows_is_a_file_too(frame: pd.DataFrame) -> None:
    empty = frame.head(0)
    assert csv(empty) == "turn,token,rank,prob,small,logit\n"
    assert json.loads(json_records(empty)) == []
    assert pq.read_table(io.BytesIO(parquet(empty))).num_rows == 0
