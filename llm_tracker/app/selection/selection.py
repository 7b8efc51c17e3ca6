"""What is looked at, as one value: which answers, which token, layer and head of them, and which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from llm_tracker.analysis.compare import SideName
from llm_tracker.analysis.layers import LayerMeasure
from llm_tracker.app.work.turn_ref import TurnRef

T = TypeVar("T")

Pair = tuple[int | None, int | None]
"""A number for each of two sides or models; None leaves that to the view."""

NEITHER: Pair = (None, None)

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
    map: SideName | None = None
    """The side whose text is drawn with all layers at all tokens."""
    map_shows: str | None = None
    """Whose probability that map shows."""
    map_from: int | None = None
    """The first token that it draws, from 1."""

    def of_newest(self) -> Selection:
        """What stays when a new answer arrives: how to look, and nothing that was said of the answers before."""
        return replace(self, turns=(), steps=NEITHER, words=None, map_from=None)

    def in_short(self, newest: tuple[TurnRef, ...]) -> Selection:
        """The same, without turns that are the newest ones anyway, where nothing else is said of them."""
        says_more = (self.steps, self.words, self.map_from) != (NEITHER, None, None)
        return self if says_more or self.turns != newest else replace(self, turns=())

    def of_another_model(self) -> Selection:
        """What stays when a model with other layers is looked at."""
        return replace(self, layers=NEITHER, heads=NEITHER)


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
        "map": selection.map or "",
        "map-from": "" if selection.map_from is None else str(selection.map_from),
    }
    said: dict[str, list[str]] = {name: [value] for name, value in written.items() if value}
    for name, word in (("of", selection.word), ("over", selection.over), ("map-shows", selection.map_shows)):
        if word is not None and len(word) <= LONGEST:
            said[name] = [word]
    if selection.words is not None and sum(map(len, selection.words)) <= LONGEST:
        said["word"] = list(selection.words) or [""]  # no word at all is a choice too
    return said


NAMES = frozenset("turns step compare layer head lines text map map-shows map-from of over word".split())
"""The parameters that belong to the selection: the address has others too."""


def of_address(said: Mapping[str, Sequence[str]]) -> Selection:
    """What the address says. What it spells wrongly is taken for not said; what is not there any more, views ignore."""
    words = said.get("word")
    return Selection(
        turns=_turns(_last(said, "turns", "")),
        steps=_pair(_last(said, "step", "")),
        compared_at="answer" if _last(said, "compare", "") == "answer" else "first",
        words=None if words is None else tuple(dict.fromkeys(filter(None, map(str.strip, words)))),
        layers=_pair(_last(said, "layer", "")),
        heads=_pair(_last(said, "head", "")),
        measure=_one_of(get_args(LayerMeasure), said, "lines"),
        word=_last(said, "of", None),
        over=_last(said, "over", None),
        text=_one_of(get_args(SideName), said, "text"),
        map=_one_of(get_args(SideName), said, "map"),
        map_shows=_last(said, "map-shows", None),
        map_from=_number(_last(said, "map-from", "")),
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
