"""What every view is made of: a chart, the numbers behind it, and the sentence that reads it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

NOTEBOOK_WIDTH = 640
"""Pixels of a chart in a notebook."""


@dataclass(frozen=True, eq=False)
class Figure:
    """One view of a session, ready to be shown, saved or read on as numbers."""

    view: str
    """The view's name, as `lt.figure` and `llm-tracker chart --view` know it."""
    title: str
    chart: Any
    """An `alt.Chart`, as wide as the place where it is shown; a notebook shows it as it is."""
    frame: pd.DataFrame
    """The numbers behind the chart, tidy: a column `turn` says whose a row is."""
    sentence: str
    """What this chart says, in one sentence made from its numbers."""

    def of_turn(self, name: str) -> Figure:
        """The same, its rows said to be of one turn."""
        return replace(self, frame=self.frame.assign(turn=name))

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
        """How a notebook shows it: its chart, which has no page to take its width from there."""
        return self.chart.properties(width=NOTEBOOK_WIDTH)._repr_mimebundle_(*args, **kwargs)
