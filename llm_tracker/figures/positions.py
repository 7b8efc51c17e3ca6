"""All layers at all positions of a turn, or what two such maps differ by."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.alignment import aligned_positions
from llm_tracker.analysis.lens.position_lens import Cell, PositionLens
from llm_tracker.analysis.lens.position_maps import answer_position, map_difference, map_frame, phase_marks
from llm_tracker.charts.heat import Colours, colours_of
from llm_tracker.charts.positions import positions_chart
from llm_tracker.errors import InputError
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.numbers import localised
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.positions import map_difference_sentence, map_sentence, shows_label

WINDOW = 64
"""Positions that are drawn at once."""

LEAD_SIGNS = (later("the second word leads"), later("the first word leads"))

BEGINS = {"thought": later("thought"), "answer": later("answer")}
"""What begins at a position that is marked."""

SITE_TITLES = {
    "resid_post": later("What every layer would write"),
    "resid_mid": later("What every layer would write between its attention and its MLP"),
}


def map_figure(
    turn: Turn,
    lens: PositionLens,
    shows: str,
    first: int | None = None,
    chosen: Cell | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """A window of the map of one turn; `first` is its first position (unless given, it shows the answer).

    `shows` is one of `analysis.lens.position_maps.map_choices`; `limits` are the ends of the colours' scale, for
    figures that stand beside each other.
    """
    if chosen is not None and not (1 <= chosen[0] <= lens.n_layers and 0 <= chosen[1] < len(lens.tokens)):
        raise InputError(
            say(
                "There is no cell {cell}: the map has layers 1 to {layers} and positions 0 to {last}.",
                cell=chosen,
                layers=lens.n_layers,
                last=len(lens.tokens) - 1,
            )
        )
    start = window_start(len(lens.tokens), answer_position(turn) if first is None else first, centred=first is None)
    last = min(start + WINDOW, len(lens.tokens))
    frame = map_frame(lens, shows, start, last)
    marks = {at: say(BEGINS[name]) for at, name in phase_marks(turn).items()}
    label = shows_label(shows, list(lens.watched))
    chart = positions_chart(frame, _colours(frame["value"], shows, label, limits), marks, chosen)
    position = chosen[1] if chosen is not None else min(max(answer_position(turn), start), last - 1)
    said = map_sentence(lens, shows, start, last, min(position, len(lens.tokens) - 1))
    return Figure("map", say(SITE_TITLES[lens.site]), chart, frame, said)


def map_difference_figure(
    before: tuple[Turn, PositionLens], after: tuple[Turn, PositionLens], shows: str, first: int | None = None
) -> Figure:
    """A window of what the map of one turn has more than that of another; their texts aligned by role and word."""
    pairs = aligned_positions(before[0], after[0])
    answer = next(place for place, (_, at) in enumerate(pairs) if at == answer_position(after[0]))
    start = window_start(len(pairs), answer if first is None else first, centred=first is None)
    frame = map_difference(before[1], after[1], pairs[start : start + WINDOW], shows)
    frame = frame.assign(position=frame["position"] + start)
    words = [word for word in before[1].watched if word in after[1].watched]
    label = say("{what}, after minus before", what=shows_label(shows, words))
    colours = colours_of(frame["value"], label, _number(shows, True), is_difference=True)
    chart = positions_chart(frame, colours, {answer: say(BEGINS["answer"])})
    title = say("{what}, after minus before", what=say(SITE_TITLES[after[1].site]))
    said = map_difference_sentence(frame, shows)
    return Figure("map", title, chart, frame.assign(turn="difference"), said)


def window_start(count: int, position: int, centred: bool = False) -> int:
    """Where the window begins: at a position, or so that it ends a little behind one; always full where it can be."""
    wanted = position - WINDOW + WINDOW // 4 if centred else position
    return max(0, min(wanted, count - WINDOW))


def _number(shows: str, is_difference: bool = False) -> str:
    """How the values are written (d3-format)."""
    is_share = shows in ("next_prob", "best_prob") or shows.startswith("prob of ")
    plus = "+" if is_difference else ""
    return f"{plus}.1%" if is_share else f"{plus},.0f" if _is_rank(shows) else f"{plus}.2f"


def map_limits(values: pd.Series[float], shows: str) -> tuple[float, float]:
    """The ends of the colours' scale for values of the map; of a lead, which has two signs, from 0 on."""
    if shows in ("next_prob", "best_prob") or shows.startswith("prob of "):
        return 0.0, 1.0
    low, high = (float(values.min()), float(values.max())) if values.notna().any() else (0.0, 0.0)
    if _is_rank(shows):
        return 1.0, max(2.0, high)
    if shows.startswith("logit of "):
        return low, high if high > low else low + 1
    return 0.0, max(abs(low), abs(high)) or 1.0


def _colours(values: pd.Series[float], shows: str, label: str, limits: tuple[float, float] | None = None) -> Colours:
    low, high = limits or map_limits(values, shows)
    is_share = shows in ("next_prob", "best_prob") or shows.startswith("prob of ")
    number = ".0%" if is_share else _number(shows)
    is_lead, is_rank = shows.startswith("lead of "), _is_rank(shows)
    if is_rank and low < 1:
        raise InputError(
            say("Ranks begin at 1: the scale of a map of ranks cannot begin at {low}.", low=localised(f"{low:g}"))
        )
    signs = (say(LEAD_SIGNS[0]), say(LEAD_SIGNS[1]))
    return Colours(label, low, high, number, is_lead, signs, is_logarithmic=is_rank)


def _is_rank(shows: str) -> bool:
    return shows == "next_rank" or shows.startswith("rank of ")
