"""What of an experiment is run: its parts in their order, in how many wordings, and in which layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.conditions import AGAIN
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import Span
from llm_tracker.several import several

PartName = Literal[
    "hand_over",
    "conditions",
    "knock_out",
    "heads",
    "lens",
    "attribution",
    "frozen_route",
    "verdict",
    "paraphrases",
    "grid",
]
PART_NAMES: tuple[PartName, ...] = get_args(PartName)

USUAL: tuple[PartName, ...] = PART_NAMES[:-1]
"""All but the grid, which is run where it is asked for by name."""


def require_parts(names: Collection[str] | None) -> tuple[PartName, ...]:
    """The parts that were asked for, in their order; the usual ones of None. Raises InputError for one there is not."""
    if names is None:
        return USUAL
    names = several(names)
    unknown = [name for name in names if name not in PART_NAMES]
    if unknown:
        raise InputError(
            say(
                "There is no part “{part}”. Choose some of: {parts}.",
                part=unknown[0],
                parts=", ".join(PART_NAMES),
            )
        )
    return tuple(name for name in PART_NAMES if name in names)


def require_wordings(n: int) -> None:
    """Raise InputError where a condition cannot be said in so many ways."""
    if not 1 <= n <= len(AGAIN):
        raise InputError(
            say("Each condition can be said in 1 to {most} ways; {n} were asked for.", most=len(AGAIN), n=n)
        )


def require_layers(n_layers: int, layers: Span) -> None:
    """Raise InputError for layers, first and last, that are not there."""
    if not 1 <= layers[0] <= layers[1] <= n_layers:
        raise InputError(
            say(
                "There are layers 1 to {n_layers}; {first} to {last} were given.",
                n_layers=n_layers,
                first=layers[0],
                last=layers[1],
            )
        )
