"""One colour for each model of a comparison, by its letter; the letter stands beside it wherever it can."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from llm_tracker.analysis.across_models.runs import LETTERS
from llm_tracker.charts.palette import LINE_COLOURS

MODEL_COLOURS = dict(zip(LETTERS, LINE_COLOURS, strict=True))


def model_colour(letters: Sequence[str]) -> alt.Color:
    """The colour of each row's model."""
    scale = alt.Scale(domain=list(letters), range=[MODEL_COLOURS[letter] for letter in letters])
    return alt.Color("model:N", legend=None, scale=scale)
