"""Words and leading tokens through the layers of one answer."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.curves import CurveMeasure, commit_layer, curve_differences, curves_frame, quality
from llm_tracker.charts.curves import curve_differences_chart, curves_chart
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.wording.curves import curve_differences_sentence, curves_sentence

N_LEADING = 8
"""Tokens that rank first at some layer which are drawn: the last to do so."""


def curves_figure(
    side: Side,
    words: Sequence[str] = (),
    measure: CurveMeasure = "prob",
    n_leading: int = N_LEADING,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """The followed words and the tokens that rank first at any layer, through all layers of one answer's step.

    `limits` are the ends of the value axis, for figures that stand beside each other.
    """
    frame = curves_frame(side, words, n_leading)
    chart = curves_chart(frame, measure, quality(side), commit_layer(side), limits)
    return Figure("curves", say("Words through the layers"), chart, frame.assign(turn=side.name), curves_sentence(side))


def curves_difference_figure(
    sides: Sequence[Side], words: Sequence[str] = (), measure: CurveMeasure = "prob"
) -> Figure:
    """What each followed word has more after, and when merely asked again where that is known, through all layers."""
    before, after = (side for side in sides if side.name != "again")
    again = next((side for side in sides if side.name == "again"), None)
    frame = curve_differences(before, after, words, again)
    chart, said = curve_differences_chart(frame, measure), curve_differences_sentence(frame, measure)
    return Figure("curves", say("Words through the layers, after minus before"), chart, frame, said)
