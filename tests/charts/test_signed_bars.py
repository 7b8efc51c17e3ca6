"""Bars around zero: each has its number at its end, and whole numbers of the axis are written out."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from llm_tracker.charts.correction.causes import signed_bars
from llm_tracker.export.images import svg


def texts(values: list[float], number: str = "+.2f", long_names: bool = False) -> list[str]:
    frame = pd.DataFrame({"label": [f"w{at}" for at in range(len(values))], "value": values, "grey": False})
    drawn = svg(signed_bars(frame, "nats", number, long_names), "light", 600)
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawn)


@pytest.mark.parametrize("long_names", [False, True])
def test_each_bar_has_its_number(long_names: bool) -> None:
    assert {"+24.00", "−2.21", "w0", "w1"} <= {*texts([24.0, -2.21], long_names=long_names)}
    assert {"+42.3\N{NO-BREAK SPACE}%", "−22.5\N{NO-BREAK SPACE}%"} <= {*texts([0.423, -0.225], "+.1%", long_names)}


def test_the_axis_writes_its_numbers_out() -> None:
    said = texts([24.0, -2.21])
    assert {"0", "10", "20"} <= {*said}
    assert not [each for each in said if "e+" in each]


@pytest.mark.parametrize("values", [[0.0, 0.0], [3.0], [-3.0]])
def test_bars_of_one_side_or_of_none_are_drawn_too(values: list[float]) -> None:
    assert f"w{len(values) - 1}" in texts(values)
