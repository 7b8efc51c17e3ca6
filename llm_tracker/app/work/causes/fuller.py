"""Which of two experiments on one correction has more in it: what is shown while one runs, and kept where it stops."""

from __future__ import annotations

from llm_tracker.experiments.values.experiment import Experiment

PARTS = ("hand_over", "verdict", "conditions", "lens", "knock_outs", "frozen_route", "heads", "attributions")
"""The fields that parts fill."""


def n_parts(found: Experiment) -> int:
    """How many of its parts are there, or are said not to be had."""
    return sum(getattr(found, name) not in (None, ()) for name in PARTS)


def fuller(new: Experiment, old: Experiment | None) -> Experiment:
    """The one with more parts, then with more wordings, then with more grids; the new one where none of it differs."""
    return new if old is None or _fullness(new) >= _fullness(old) else old


def shown_meanwhile(coming: Experiment | None, kept: Experiment | None) -> Experiment | None:
    """What to show while one is coming: of the same case what is kept, until as much has come anew."""
    if coming is None:
        return kept
    return fuller(coming, kept if kept is not None and kept.case == coming.case else None)


def _fullness(found: Experiment) -> tuple[int, int, int]:
    grids = sum(getattr(path, "grid", None) is not None for path in (found.hand_over, found.verdict))
    return n_parts(found), len(found.conditions), grids
