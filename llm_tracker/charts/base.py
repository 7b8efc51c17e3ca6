"""What all charts share."""

from __future__ import annotations

from typing import Any

import altair as alt

from llm_tracker.charts.palette import GRID
from llm_tracker.languages.numbers import marks
from llm_tracker.languages.spoken import language

TITLE_LIMIT = 230
"""Pixels of a title beside a chart: a followed word may be longer than its chart is high."""

LEGEND_COLUMNS = alt.ExprRef("width > 380 ? 2 : 1")
"""Of a legend whose labels are long: on a phone they stand one below the other."""


def framed(chart: alt.LayerChart | alt.FacetChart, height: int, **properties: Any) -> Any:
    """The chart at the width of its column, without a box around it.

    Marks, axes and legends are hidden from screen readers, which would read out coordinates: the page gives each chart
    one text alternative and a table. Its numbers are written as the language that is spoken writes them.
    """
    config = alt.Config(  # at once: each configure_… of a chart copies all of it
        view=alt.ViewConfig(stroke=None),
        mark=alt.MarkConfig(aria=False),
        axis=alt.AxisConfig(gridColor=GRID, aria=False, titleLimit=TITLE_LIMIT),
        axisX=alt.AxisConfig(titleLimit=alt.ExprRef("width")),
        legend=alt.LegendConfig(aria=False, labelLimit=260),
        **number_config(),
    )
    return chart.properties(height=height, width="container", config=config, **properties)


def number_config() -> dict[str, Any]:
    """How the language that is spoken writes numbers, as a part of a chart's config: as the sentences do."""
    decimal, thousands = marks(language())
    how = {"decimal": decimal, "thousands": thousands, "grouping": [3], "currency": ["", ""]}
    return {"locale": {"number": {**how, "percent": "\N{NO-BREAK SPACE}%"}}}


def tooltip_of(field: str, title: str, **how: Any) -> alt.Tooltip:
    """A field of a tooltip, called `title`: left out where that is the field's own name, which it has anyway."""
    return alt.Tooltip(field, **how) if title == field.partition(":")[0] else alt.Tooltip(field, title=title, **how)
