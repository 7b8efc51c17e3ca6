"""Every head of every layer in one cell, and one head's pattern."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import HeadMeasure, grid_of, heads_frame, kept_rows
from llm_tracker.charts.heads import heads_chart, pattern_chart
from llm_tracker.charts.heat import Colours, colours_of
from llm_tracker.figures.figure import Figure
from llm_tracker.prompts.words import Span, Word
from llm_tracker.tracing.rereading.found import HeadPattern
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.formats import capitalised
from llm_tracker.wording.heads import MEASURE_LABELS, differences_sentence, heads_sentence, pattern_sentence
from llm_tracker.wording.labels import side_label

WINDOW = 64
"""Queries, and keys, of a pattern that are drawn at once."""

Head = tuple[int, int | None]
"""Layer and head (both from 1); None for the mean over the layer's heads."""


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
    label = f"{MEASURE_LABELS[measure]}{'' if rows is None else ', weighed by values'}"
    chart = heads_chart(frame, Colours(label, low, high or 1.0, number), chosen)
    title = f"{capitalised(side_label(side))}: every head of every layer"
    return Figure("heads", title, chart, frame.assign(turn=side.name), heads_sentence(grid, measure, words))


def heads_difference_figure(
    before: FloatArray, after: FloatArray, measure: HeadMeasure, chosen: Head | None = None
) -> Figure:
    """The grid of one side minus that of another, of the same model: zero-centred, both signs on one scale."""
    difference: FloatArray = after - before
    frame = heads_frame(difference)
    number = "+.2f" if measure == "entropy" else "+.1%"
    label = f"{MEASURE_LABELS[measure]}, after minus before"
    chart = heads_chart(frame, colours_of(frame["value"], label, number, is_difference=True), chosen)
    said = differences_sentence(difference, measure)
    title = "Every head of every layer, after minus before"
    return Figure("heads", title, chart, frame.assign(turn="difference"), said)


def pattern_frame(pattern: HeadPattern, tokens: Sequence[str], first: int, last: int) -> pd.DataFrame:
    """A square of one head's pattern by token: the positions from `first` to before `last` as queries and as keys.

    Columns: query, key (positions), query_text, key_text, value. What lies behind a query is left out.
    """
    start = max(first, pattern.first_query)
    square = pattern.weights[start - pattern.first_query : max(0, last - pattern.first_query), first:last]
    queries, keys = np.indices(square.shape)
    frame = pd.DataFrame(
        {"query": queries.ravel() + start, "key": keys.ravel() + first, "value": square.ravel().astype(float)}
    )
    frame = frame[frame["key"] <= frame["query"]]
    return frame.assign(
        query_text=[tokens[at] for at in frame["query"]], key_text=[tokens[at] for at in frame["key"]]
    ).reset_index(drop=True)


def pattern_by_word(
    pattern: HeadPattern, words: Sequence[Word], first: int, last: int, query: int | None = None
) -> pd.DataFrame:
    """The same by word: to a word the sum over its tokens, from a word the mean (Clark et al., 2019).

    The words from `first` to before `last` are the keys, and the queries too unless one is given. A query that was not
    kept has no values (NaN).
    """
    keys = words[first:last]
    bounds = np.array([word.tokens[0] for word in keys])
    frames = []
    for at in range(first, last) if query is None else (query,):
        start, end = (place - pattern.first_query for place in words[at].tokens)
        rows = pattern.weights[max(0, start) : max(0, end), bounds[0] : keys[-1].tokens[1]]
        mean = rows.mean(0, dtype="float64") if len(rows) else np.full(rows.shape[1], np.nan)
        shares = np.add.reduceat(mean, bounds - bounds[0])[: at - first + 1]
        own = {"query": at, "key": range(first, first + len(shares)), "value": shares}
        texts = {"query_text": words[at].text.strip(), "key_text": [word.text.strip() for word in keys[: len(shares)]]}
        frames.append(pd.DataFrame({**own, **texts}))
    return pd.concat(frames, ignore_index=True)


def pattern_figure(pattern: HeadPattern, frame: pd.DataFrame, chosen: int | None = None) -> Figure:
    """One head's pattern over a window of the text: `pattern_frame` or `pattern_by_word`."""
    label = f"what layer {pattern.layer}, head {pattern.head} gave"
    chart = pattern_chart(frame, Colours(label, 0, 1, ".0%"), chosen)
    title = f"Layer {pattern.layer}, head {pattern.head}: its pattern"
    return Figure("pattern", title, chart, frame, pattern_sentence(frame))
