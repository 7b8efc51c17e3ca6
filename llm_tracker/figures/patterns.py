"""One head's pattern over a window of the text, or what the patterns of two answers differ by."""

from __future__ import annotations

from llm_tracker.analysis.alignment import Pairs
from llm_tracker.analysis.patterns import PatternText, pattern_differences
from llm_tracker.charts.heads import pattern_chart
from llm_tracker.charts.heat import Colours, colours_of
from llm_tracker.errors import InputError
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.tracing.rereading.found import HeadPattern
from llm_tracker.wording.heads import pattern_differences_sentence, pattern_sentence

WINDOW = 64
"""Queries, and keys, of a pattern that are drawn at once."""


def pattern_figure(text: PatternText, first: int | None = None, chosen: int | None = None) -> Figure:
    """One head's pattern over a window of the text; unless told from where, it ends with the text.

    The row of the `chosen` place is outlined.
    """
    if chosen is not None and not 0 <= chosen < len(text.spans):
        last = len(text.spans) - 1
        raise InputError(say("There is no place {place}: the pattern has places 0 to {last}.", place=chosen, last=last))
    frame = text.frame(*pattern_window(len(text.spans), first))
    label = say("what layer {layer}, head {head} gave", **_place(text.pattern))
    chart = pattern_chart(frame, Colours(label, 0, 1, ".0%"), chosen)
    title = say("Layer {layer}, head {head}: its pattern", **_place(text.pattern))
    return Figure("pattern", title, chart, frame, pattern_sentence(frame, chosen))


def pattern_difference_figure(
    before: PatternText, after: PatternText, pairs: Pairs[int], first: int | None = None
) -> Figure:
    """What one head gave more after, over a window of both texts laid side by side.

    `pairs` are the places that stand for each other: `analysis.patterns.paired_places`.
    """
    frame = pattern_differences(before, after, pairs, *pattern_window(len(pairs), first))
    label = say("what layer {layer}, head {head} gave, after minus before", **_place(after.pattern))
    chart = pattern_chart(frame, colours_of(frame["value"], label, "+.1%", is_difference=True))
    title = say("Layer {layer}, head {head}: its pattern, after minus before", **_place(after.pattern))
    return Figure("pattern", title, chart, frame.assign(turn="difference"), pattern_differences_sentence(frame))


def pattern_window(count: int, first: int | None) -> tuple[int, int]:
    """The places that are drawn: first, and one past last."""
    start = max(0, count - WINDOW) if first is None else max(0, min(first, count - 1))
    return start, min(start + WINDOW, count)


def _place(pattern: HeadPattern) -> dict[str, str]:
    return {"layer": number(pattern.layer), "head": number(pattern.head)}
