"""What each side of a comparison is called on the page: by its turn, and by its model where two are compared."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.html import legend
from llm_tracker.charts.palette import TURN_COLOURS
from llm_tracker.wording.formats import capitalised
from llm_tracker.wording.labels import side_label


def side_labels(sides: Sequence[Side]) -> dict[str, str]:
    """The label of each side by its name."""
    return {side.name: side_label(side) for side in sides}


def of_two_models(sides: Sequence[Side]) -> bool:
    """Whether two models are compared."""
    return any(side.model for side in sides)


def models_legend(sides: Sequence[Side]) -> None:
    """Which model each colour stands for."""
    legend({capitalised(side_label(side)): TURN_COLOURS[side.name] for side in sides})
