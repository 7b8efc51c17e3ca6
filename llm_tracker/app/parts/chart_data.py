"""How the app has Altair make charts: from plain records, and without checks that tests make for every chart."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd
from altair.utils import schemapi

NAME = "plain records"


def records(frame: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """The rows of a frame as Vega-Lite reads them: what is no number, or missing, is null."""
    columns = {str(name): _values(frame[name]) for name in frame.columns}
    return {"values": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]}


def _values(column: pd.Series[Any]) -> list[Any]:
    values = column.tolist()
    if pd.api.types.is_float_dtype(column.dtype):
        return [value if math.isfinite(value) else None for value in values]
    return [None if missing else value for value, missing in zip(values, column.isna().tolist(), strict=True)]


def make_charts_fast() -> None:
    """Have this process make charts so: for the app, whose process is its own.

    Altair's own way to records takes longer than all else of a chart together; holding each part of a chart against
    Vega-Lite's schema takes a quarter of the rest.
    """
    schemapi.DEBUG_MODE = False
    alt.data_transformers.register(NAME, records)  # type: ignore[arg-type]
    alt.data_transformers.enable(NAME)
