"""What is looked at, as one value: which answers, which token, layer and head of them, and which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, get_args

from llm_tracker.analysis.compare import SideName
from llm_tracker.analysis.curves import CurveMeasure
from llm_tracker.analysis.heads import HeadMeasure
from llm_tracker.analysis.layers import LayerMeasure
from llm_tracker.analysis.lens.position_lens import Cell
from llm_tracker.analysis.tokens import TokenMeasure
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.tracing.trace import StreamSite

T = TypeVar("T")

Pair = tuple[int | None, int | None]
"""A number for each of two sides or models; None leaves that to the view."""

NEITHER: Pair = (None, None)

Cause = Literal["hidden", "carried", "looked_at"]
"""What a word's part in the lead is measured by."""

Added = Literal["after", "asked_again", "before", "difference"]
"""Of which answer the parts of the lead are shown."""

Arrangement = Literal["before", "after", "beside", "difference"]

LONGEST = 1000
"""Characters of words that the address carries: a longer one would be cut off on its way, and the visitor's key too."""


@dataclass(frozen=True)
class Selection:
    """Every view reads it, and no view keeps a choice of its own. What is None, each view chooses by itself.

    What belongs to answers (steps, words, the stretch of a map) stands beside `turns`, so that an address that is
    opened later speaks of the same answers, or of none.
    """

    turns: tuple[TurnRef, ...] = ()
    """Before and after, or one answer alone; empty: those that came last."""
    steps: Pair = NEITHER
    """The token of the answer before, and of the one after, from 0."""
    compared_at: Literal["first", "answer"] = "first"
    """Whether answers are compared at their first tokens, or at those that carry them."""
    words: tuple[str, ...] | None = None
    """The words that are followed."""
    layers: Pair = NEITHER
    """The layer of the attention view, from 1: of the model, or where there are two, of each."""
    heads: Pair = NEITHER
    """The head there, from 1: of the model, or where there are two, of each. Without one: the mean of all."""
    measure: LayerMeasure | None = None
    """What the lines of the layers show: `lead`, `prob` or `rank`."""
    word: str | None = None
    """Of which word they show it; "" for the token that each answer wrote itself."""
    over: str | None = None
    """The word over which it leads."""
    text: SideName | None = None
    """The side whose prompt is shown."""
    map_shows: str | None = None
    """What the map of all layers at all tokens shows."""
    map_from: int | None = None
    """The first token that it draws, from 1."""
    shown: Arrangement | None = None
    """Whether one answer is drawn, or both side by side, or what the one after has more."""
    site: StreamSite | None = None
    """Where the stream is read for the map: after each layer, or between its attention and its MLP."""
    cell: Cell | None = None
    """The layer (from 1) and the position (from 0) of the map whose candidates are shown."""
    curve: CurveMeasure | None = None
    """What the curves of the Layers page show."""
    bars: TokenMeasure | None = None
    """What the bars of the Tokens page show."""
    cells: HeadMeasure | None = None
    """What a cell of the grid of heads says."""
    weighed: bool = False
    """Whether attention is weighed by what it carries."""
    focus: tuple[str, ...] | None = None
    """The words that the grid of heads is about."""
    query: int | None = None
    """The place of a head's pattern that is looked at."""
    pattern_from: int | None = None
    """The first place of that pattern that is drawn, from 1."""
    by: Literal["word", "token"] = "word"
    """Whether that pattern is drawn by word or by token."""
    cause: Cause | None = None
    """What the words of the Correction page are measured by."""
    added: Added | None = None
    """Whose parts of the lead it shows, layer by layer."""

    def of_newest(self) -> Selection:
        """What stays when a new answer arrives: how to look, and nothing that was said of the answers before."""
        return replace(self, turns=(), steps=NEITHER, words=None, map_from=None, **OF_ANSWERS)

    def in_short(self, newest: tuple[TurnRef, ...]) -> Selection:
        """The same, without turns that are the newest ones anyway, where nothing else is said of them."""
        of_answers = [self.words, self.map_from, *(getattr(self, name) for name in OF_ANSWERS)]
        says_more = self.steps != NEITHER or any(each is not None for each in of_answers)
        return self if says_more or self.turns != newest else replace(self, turns=())

    def of_another_model(self) -> Selection:
        """What stays when a model with other layers is looked at."""
        return replace(self, layers=NEITHER, heads=NEITHER, cell=None)


OF_ANSWERS: dict[str, Any] = dict.fromkeys(("cell", "focus", "query", "pattern_from"))
"""Choices of the pages that explore which say something of the answers that are shown, and nothing of later ones."""


def with_number(pair: Pair, at: int, number: int | None) -> Pair:
    """The pair with one of its numbers changed."""
    return (number, pair[1]) if at == 0 else (pair[0], number)


def to_address(selection: Selection) -> dict[str, list[str]]:
    """The parameters of the address that say it; what is as it would be anyway has none."""
    written = {
        "turns": "-".join(map(str, selection.turns)),
        "step": _pair_text(selection.steps),
        "compare": "answer" if selection.compared_at == "answer" else "",
        "layer": _pair_text(selection.layers),
        "head": _pair_text(selection.heads),
        "lines": selection.measure or "",
        "text": selection.text or "",
        "map-from": _number_text(selection.map_from),
        "show": selection.shown or "",
        "site": selection.site or "",
        "cell": "" if selection.cell is None else _pair_text(selection.cell),
        "curve": selection.curve or "",
        "bars": selection.bars or "",
        "cells": selection.cells or "",
        "weighed": "yes" if selection.weighed else "",
        "query": _number_text(selection.query),
        "pattern-from": _number_text(selection.pattern_from),
        "by": "token" if selection.by == "token" else "",
        "cause": selection.cause or "",
        "added": selection.added or "",
    }
    said: dict[str, list[str]] = {name: [value] for name, value in written.items() if value}
    for name, word in (("of", selection.word), ("over", selection.over), ("map-shows", selection.map_shows)):
        if word is not None and len(word) <= LONGEST:
            said[name] = [word]
    if selection.words is not None and sum(map(len, selection.words)) <= LONGEST:
        said["word"] = list(selection.words) or [""]  # no word at all is a choice too
    if selection.focus is not None and sum(map(len, selection.focus)) <= LONGEST:
        said["focus"] = list(selection.focus) or [""]
    return said


NAMES = frozenset(
    "turns step compare layer head lines text map-shows map-from of over word show site cell curve bars cells "
    "weighed focus query pattern-from by cause added".split()
)
"""The parameters that belong to the selection: the address has others too."""


def of_address(said: Mapping[str, Sequence[str]]) -> Selection:
    """What the address says. What it spells wrongly is taken for not said; what is not there any more, views ignore."""
    return Selection(
        turns=_turns(_last(said, "turns", "")),
        steps=_pair(_last(said, "step", "")),
        compared_at="answer" if _last(said, "compare", "") == "answer" else "first",
        words=_several(said.get("word")),
        layers=_pair(_last(said, "layer", "")),
        heads=_pair(_last(said, "head", "")),
        measure=_one_of(get_args(LayerMeasure), said, "lines"),
        word=_last(said, "of", None),
        over=_last(said, "over", None),
        text=_one_of(get_args(SideName), said, "text"),
        map_shows=_last(said, "map-shows", None),
        map_from=_number(_last(said, "map-from", "")),
        shown=_one_of(get_args(Arrangement), said, "show"),
        site=_one_of(get_args(StreamSite), said, "site"),
        cell=_cell(_last(said, "cell", "")),
        curve=_one_of(get_args(CurveMeasure), said, "curve"),
        bars=_one_of(get_args(TokenMeasure), said, "bars"),
        cells=_one_of(get_args(HeadMeasure), said, "cells"),
        weighed=_last(said, "weighed", "") == "yes",
        focus=_several(said.get("focus")),
        query=_number(_last(said, "query", "")),
        pattern_from=_number(_last(said, "pattern-from", "")),
        by="token" if _last(said, "by", "") == "token" else "word",
        cause=_one_of(get_args(Cause), said, "cause"),
        added=_one_of(get_args(Added), said, "added"),
    )


def _last(said: Mapping[str, Sequence[str]], name: str, otherwise: T) -> str | T:
    """A parameter's value; of one that is there several times the last, as Streamlit reads them."""
    values = said.get(name)
    return values[-1] if values else otherwise


def _one_of(options: Sequence[T], said: Mapping[str, Sequence[str]], name: str) -> T | None:
    return next((option for option in options if option == _last(said, name, None)), None)


def _turns(text: str) -> tuple[TurnRef, ...]:
    refs = [TurnRef.of(each) for each in text.split("-")]
    whole = tuple(ref for ref in refs if ref is not None)
    return whole if len(whole) == len(refs) <= 2 else ()


def _pair(text: str) -> Pair:
    first, _, second = text.partition("-")
    return (_number(first), _number(second))


def _cell(text: str) -> Cell | None:
    layer, position = _pair(text)
    return None if layer is None or position is None else (layer, position)


def _several(words: Sequence[str] | None) -> tuple[str, ...] | None:
    """Words, each once; none of them where only an empty one is said, None where nothing is."""
    return None if words is None else tuple(dict.fromkeys(filter(None, map(str.strip, words))))


def _number_text(number: int | None) -> str:
    return "" if number is None else str(number)


def _pair_text(pair: Pair) -> str:
    first, second = ("" if number is None else str(number) for number in pair)
    return f"{first}-{second}" if second else first


def _number(text: str) -> int | None:
    """A whole number of a few digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def chosen(wanted: T | None, options: Sequence[T], otherwise: T) -> T:
    """What was chosen, where it can be; else what the view opens with."""
    return wanted if wanted is not None and wanted in options else otherwise


def unless_default(value: T, default: T) -> T | None:
    """A choice as the selection keeps it: None where the view would make it by itself."""
    return None if value == default else value
