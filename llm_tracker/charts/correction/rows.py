"""A chart of rows whose names stand above their marks, so that a narrow screen leaves all its width to the marks."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

ROW_PIXELS = 34
BELOW = 8
"""Pixels that marks stand below the middle of their row, and names above it."""


def row_names(frame: pd.DataFrame, y: alt.Y) -> Any:
    """Each row's name: marks, not an axis, whose texts Vega would read as code."""
    text = alt.Chart(frame).mark_text(align="left", baseline="middle", dy=-BELOW, fontSize=12)
    return text.encode(x=alt.value(0), y=y, text=alt.Text("label:N"))
