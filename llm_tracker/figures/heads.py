"""Every head of every layer in one cell."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import Head, HeadMeasure, grid_of, heads_frame, kept_rows
from llm_tracker.charts.heads import heads_chart
from llm_tracker.charts.heat import Colours, colours_of
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import Span
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.heads import MEASURE_LABELS, differences_sentence, heads_sentence


def heads_figure(
    side: Side,
    measure: HeadMeasure,
    spans: Sequence[Span] = (),
    words: Sequence[str] = (),
    rows: FloatArray | None = None,
    chosen: Head | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """One number for each head at the side's step: `analysis.heads.head_grid`.

    `spans` are the tokens of the chosen words, and `words` what they are called. `rows` (layer, head, key) take the
    place of the attention that was kept, such as value-weighted shares. `limits` are the ends of the colours' scale,
    for figures that stand beside each other.
    """
    grid = grid_of(kept_rows(side.turn, side.step) if rows is None else rows, side.turn, side.step, measure, spans)
    frame = heads_frame(grid)
    low, high = limits or (0.0, float(frame["value"].max() or 1.0))
    number = ".2f" if measure == "entropy" else ".0%"
    label = say(MEASURE_LABELS[measure])
    if rows is not None:
        label = say("{measure}, weighed by values", measure=label)
    chart = heads_chart(frame, Colours(label, low, high or 1.0, number), chosen)
    said = heads_sentence(grid, measure, words)
    return Figure("heads", say("Every head of every layer"), chart, frame.assign(turn=side.name), said)


def heads_difference_figure(
    before: FloatArray, after: FloatArray, measure: HeadMeasure, chosen: Head | None = None
) -> Figure:
    """The grid of one side minus that of another, of the same model: zero-centred, both signs on one scale."""
    difference: FloatArray = after - before
    frame = heads_frame(difference)
    number = "+.2f" if measure == "entropy" else "+.1%"
    label = say("{what}, after minus before", what=say(MEASURE_LABELS[measure]))
    chart = heads_chart(frame, colours_of(frame["value"], label, number, is_difference=True), chosen)
    said = differences_sentence(difference, measure)
    title = say("Every head of every layer, after minus before")
    return Figure("heads", title, chart, frame.assign(turn="difference"), said)
