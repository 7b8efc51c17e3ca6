"""Whether a view draws one answer, both side by side, or what the one after has more."""

from __future__ import annotations

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.selection.selection import Arrangement, chosen, unless_default
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.labels import TURN_LABELS

LABELS: dict[Arrangement, str] = {
    "beside": later("side by side"),
    "before": TURN_LABELS["before"],
    "after": TURN_LABELS["after"],
    "difference": later("difference"),
}


def arrangement(comparison: Comparison, same_twice: bool = True, has_control: bool = True) -> Arrangement:
    """What the page draws, to be chosen where two answers are compared; two models have no difference.

    An answer that is compared with itself stands there once, unless `same_twice`. `has_control` says whether the page
    draws in a difference what merely asking again changes.
    """
    is_same = comparison.after is not None and comparison.refs[0] == comparison.refs[1] and not same_twice
    options: list[Arrangement] = ["after"] if is_same else arrangements(comparison)
    shown = chosen(selected().shown, options, options[0])
    key = labelled_key(f"arrangement of {len(options)}")
    choose = show_choice(key, shown, lambda picked: select(shown=unless_default(picked, options[0])))
    # In a container of its own: what follows keeps its place where there is nothing to choose.
    place = st.container(key="arrangement")
    if len(options) > 1:
        place.segmented_control(
            say("Show"),
            options,
            default=shown,
            format_func=lambda each: say(LABELS[each]),
            key=key,
            on_change=choose,
            required=True,
            help=say(
                "The difference is after minus before, on one scale centred on zero. Both texts are laid side by side "
                "by who speaks and by word."
            ),
        )
    if shown == "difference" and any(side.name == "again" for side in comparison.sides):
        told = say("The difference is the whole change, merely asking again included.")
        if has_control:
            told = f"{told} {say('A grey tick or a dashed line shows what that alone changes.')}"
        with place:
            paragraph(told, quiet=True)
    return shown


def arrangements(comparison: Comparison) -> list[Arrangement]:
    """How the answers that are compared can be drawn."""
    if comparison.after is None:
        return ["before"]
    return list(LABELS)[:3] if comparison.of_two_models else list(LABELS)


def drawn_sides(comparison: Comparison, shown: Arrangement) -> list[Side]:
    """The answers that are drawn, without the control: of a difference both."""
    both = [side for side, _ in comparison.answers]
    return both if shown in ("beside", "difference") else [side for side in both if side.name == shown]


def drawn_with_control(comparison: Comparison, shown: Arrangement) -> list[Side]:
    """The same, and the control where both answers are drawn."""
    return comparison.sides if shown in ("beside", "difference") else drawn_sides(comparison, shown)
