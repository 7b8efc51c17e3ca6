"""What all charts share."""

from __future__ import annotations

from typing import Any

import altair as alt

from llm_tracker.charts.palette import GRID

TITLE_LIMIT = 230
"""Pixels of an axis title: a followed word may be longer than its chart is high."""


def framed(chart: alt.LayerChart | alt.FacetChart, height: int, **properties: Any) -> Any:
    """The chart at the width of its column, without a box around it.

    Marks, axes and legends are hidden from screen readers, which would read out coordinates: the page gives each chart
    one text alternative and a table.
    """
    config = alt.Config(  # at once: each configure_… of a chart copies all of it
        view=alt.ViewConfig(stroke=None),
        mark=alt.MarkConfig(aria=False),
        axis=alt.AxisConfig(gridColor=GRID, aria=False, titleLimit=TITLE_LIMIT),
        legend=alt.LegendConfig(aria=False),
    )
    return chart.properties(height=height, width="container", config=config, **properties)
