"""The parts of an experiment, by name."""

from __future__ import annotations

import pytest

import llm_tracker as lt
from llm_tracker.experiments.values.parts import PART_NAMES, USUAL, require_parts, require_wordings


def test_all_but_the_grid_are_usual() -> None:
    assert set(PART_NAMES) - set(USUAL) == {"grid"}
    assert require_parts(None) == USUAL


def test_parts_are_run_in_their_own_order_each_once() -> None:
    assert require_parts(["grid", "lens", "hand_over", "lens"]) == ("hand_over", "lens", "grid")
    assert require_parts(()) == ()


def test_an_unknown_part_is_refused_and_those_there_are_are_named() -> None:
    with pytest.raises(lt.InputError, match=r"no part “mood”.*hand_over.*grid"):
        require_parts(["lens", "mood"])


def test_a_condition_is_said_in_as_many_ways_as_there_are() -> None:
    for n in (1, 4):
        require_wordings(n)
    for n in (-1, 0, 5):
        with pytest.raises(lt.InputError, match=f"1 to 4 ways; {n} were asked for"):
            require_wordings(n)
