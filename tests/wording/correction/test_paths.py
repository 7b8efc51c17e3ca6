"""What the curves of a pair say: kept, handed over, gone astray; and where the lead through the layers parts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from experiments import example_experiment

from llm_tracker.experiments.values.findings import Floats, HandOver, LensCurve
from llm_tracker.wording.correction.paths import (
    arrives_at,
    grid_sentence,
    kept_until,
    lens_sentence,
    path_sentence,
)


def path(named: Floats, slot: Floats, between: Floats | None = None) -> HandOver:
    own = example_experiment().hand_over
    assert isinstance(own, HandOver)
    return replace(own, named_word=named, answer_slot=slot, between=between or (0.0,) * len(slot), grid=None)


def test_a_clean_jump_is_named_by_its_layer() -> None:
    said = path_sentence(path((1.0, 1.0, 0.9, 0.1, 0.0), (0.0, 0.0, 0.2, 0.9, 1.0)))
    assert "keeps that difference up to layer 2 of 4" in said
    assert "layer 3 brings it to the position that writes the answer (from 20 % to 90 % of it)" in said
    assert "Nothing much rests on the words between" in said


def test_what_rests_on_the_words_between_is_said() -> None:
    said = path_sentence(path((1.0, 0.3, 0.0), (0.0, 0.1, 1.0), (0.0, 0.6, 0.0)))
    assert "hold up to 60 % of it (after layer 1)" in said


def test_words_between_that_go_against_the_difference_do_not_hold_it() -> None:
    said = path_sentence(path((1.0, 0.3, 0.0), (0.0, 0.1, 1.0), (0.0, -0.4, 0.0)))
    assert said.endswith(
        "In between, the words that follow move the lead the other way, by up to 40 % of it (after layer 1)."
    )


@pytest.mark.parametrize(
    ("before", "after", "jump"),
    [
        (0.2, 0.501, "from 20 % to 50 % of it"),
        (-0.3, 0.9, "from −30 % to 90 % of it"),
        (-0.0004, 0.9, "from under 0.1 % to 90 % of it"),
    ],
)
def test_a_jump_has_two_ends_that_can_be_told_apart(before: float, after: float, jump: str) -> None:
    assert f"answer ({jump})." in path_sentence(path((1.0, 1.0, 0.0), (0.0, before, after)))


def test_no_layer_is_named_for_what_it_brings_little_of_and_a_sagging_curve_keeps_more_than_half() -> None:
    said = path_sentence(path((1.0, 0.7, 0.6, 0.1, 0.0), (0.0, 0.3, 0.4, 0.6, 1.0)))
    assert "keeps more than half of that difference up to layer 2 of 4" in said
    assert "from layer 3 on more than half of it is at the position that writes the answer" in said
    assert "brings" not in said


@pytest.mark.parametrize(
    ("curve", "kept", "arrived"),
    [
        ((1.0, 1.0, 0.0), 1, None),
        ((1.0, 1.2, 1.0), 2, 0),
        ((0.0, 0.0, 1.0), None, 2),
        ((0.0, 0.6, 0.4), None, None),
        ((0.0, 0.6, 0.4, 0.7), None, 3),
        ((), None, None),
    ],
)
def test_a_curve_is_kept_from_its_beginning_and_arrives_for_good(
    curve: Floats, kept: int | None, arrived: int | None
) -> None:
    assert kept_until(curve) == kept
    assert arrives_at(curve) == arrived


def test_curves_that_hold_no_half_say_so() -> None:
    said = path_sentence(path((0.4, 0.2, 0.0), (0.0, 0.2, 0.4)))
    assert "does not keep half of that difference at any depth" in said
    assert "no layer brings half of it" in said


def test_shares_over_one_are_not_cut_off_silently() -> None:
    assert "to all)" in path_sentence(path((1.0, 1.0, 0.0), (0.0, 0.3, 1.4)))


def test_the_grid_names_positions_that_hold_half_by_themselves() -> None:
    own = example_experiment().hand_over
    assert isinstance(own, HandOver)
    assert "“London”" in grid_sentence(own)
    assert grid_sentence(replace(own, grid=None)) == ""
    flat = tuple(tuple(0.0 for _ in row) for row in own.grid or ())
    assert "no single position" in grid_sentence(replace(own, grid=flat))
    against = tuple(tuple(-0.7 for _ in row) for row in flat)
    assert "no single position" in grid_sentence(replace(own, grid=against))


def lens(lead_user: Floats, lead_again: Floats) -> tuple[LensCurve, ...]:
    found = example_experiment().lens
    assert isinstance(found, tuple)
    by_name = {curve.condition.name: curve for curve in found}
    kl = (2.0,) * len(lead_user)
    own = {"kl_nats": kl, "jsd_from_asked_again": kl}
    return (
        replace(by_name["user"], lead=lead_user, **own),
        replace(by_name["asked_again"], lead=lead_again, **own),
    )


def test_the_layer_is_named_from_which_on_the_lead_stays_apart() -> None:
    said = lens_sentence(lens((0.0, 0.0, -4.0, -5.0), (0.0, 0.0, 1.0, 1.0)), "Paris", "London")
    assert said.startswith("From layer 3 of 4 on, the lead of “Paris” over “London” after the correction has left")
    assert "far from the model's own prediction (KL 2.0 nats)" in said


def test_a_lead_that_ends_as_when_asked_again_has_no_such_layer() -> None:
    assert "as when merely asked again" in lens_sentence(lens((0.0, 3.0, 1.04), (0.0, 0.0, 1.0)), "Paris", "London")
    assert "not been read yet" in lens_sentence((), "Paris", "London")


def test_a_small_gap_at_the_end_is_a_gap() -> None:
    said = lens_sentence(lens((0.0, 0.0, 1.45), (0.0, 0.0, 1.0)), "Paris", "London")
    assert said.startswith("From layer 3 of 3 on")
    assert "asking again: +1.4 nats against +1.0 nats." in said
    said = lens_sentence(lens((0.0, 0.0, 17.3), (0.0, 0.0, 17.0)), "Paris", "London")
    assert "asking again: both about +17 nats, 0.30 nats apart." in said
