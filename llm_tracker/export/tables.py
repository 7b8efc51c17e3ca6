"""A frame as a file: CSV, Parquet or JSON, without its index and with every digit of its numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd


def csv(frame: pd.DataFrame) -> str:
    """A frame as CSV with a line of names; each number with as many digits as tell it from every other."""
    return frame.to_csv(index=False, lineterminator="\n")


def parquet(frame: pd.DataFrame) -> bytes:
    """A frame as a Parquet file that keeps each column's type; any reader of Parquet opens it."""
    return bytes(frame.to_parquet(index=False))


def json_records(frame: pd.DataFrame) -> str:
    """A frame as a JSON list with an object a row; null for what is missing or no finite number: JSON has neither."""
    records = [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]
    return json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """A cell as JSON knows it."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value is pd.NA or value is pd.NaT else value
