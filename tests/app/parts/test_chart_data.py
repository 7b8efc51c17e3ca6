"""The app's way to make charts changes nothing in them: the rows are the frame's, and the whole is still checked."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest

from llm_tracker.app.parts.chart_data import make_charts_fast, records

FRAME = pd.DataFrame({"word": ["Paris", None], "nats": [1.5, float("nan")], "rank": [1, 2]})


def test_the_rows_are_those_of_the_frame_and_what_is_no_number_is_null() -> None:
    assert records(FRAME) == {
        "values": [{"word": "Paris", "nats": 1.5, "rank": 1}, {"word": None, "nats": None, "rank": 2}]
    }


def test_a_wrong_part_of_a_chart_is_found_when_the_whole_is_checked() -> None:
    make_charts_fast()
    chart = alt.Chart(FRAME).mark_bar().encode(x=alt.X("nats:Q", scale=alt.Scale(domain="all of it")))
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        chart.to_dict()
