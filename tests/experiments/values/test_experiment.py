"""An experiment's own sums: the shift and its split, and what “right” does against “wrong”."""

from __future__ import annotations

from small_experiments import CASE, condition_score, experiment

import llm_tracker as lt
from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.experiments.values.experiment import Shift, VerdictEffect, available
from llm_tracker.experiments.values.findings import ExactCheck, FrozenRoute, Unavailable

MARGINS: dict[ConditionName, tuple[float, float]] = {
    "baseline": (-0.1, -3.7),
    "asked_again": (-1.3, -1.9),
    "user": (-7.9, -0.3),
    "right": (-0.7, -2.2),
    "wrong": (-2.9, -1.1),
}


def scored(**changes: tuple[float, float]) -> lt.Experiment:
    return experiment(
        conditions=tuple(condition_score(name, *scores) for name, scores in {**MARGINS, **changes}.items())  # type: ignore[arg-type]
    )


def test_the_shift_is_asking_again_and_the_correction_to_1e_12() -> None:
    found = scored()
    shift = found.shift
    assert shift is not None
    before, after = (found.score(name) for name in ("baseline", "user"))
    assert before is not None
    assert after is not None
    assert abs(shift.total - (after.margin - before.margin)) < 1e-12
    assert shift.asked_again == (-1.3 + 1.9) - (-0.1 + 3.7)


def test_a_correction_that_says_what_asking_again_does_shifts_nothing() -> None:
    shift = scored(user=MARGINS["asked_again"]).shift
    assert shift is not None
    assert shift.correction == 0
    assert shift.total == shift.asked_again


def test_answer_and_foil_that_change_places_turn_the_shift_round() -> None:
    turned = {name: scores[::-1] for name, scores in MARGINS.items()}
    one, other = scored().shift, scored(**turned).shift
    assert one is not None
    assert other is not None
    assert (other.total, other.correction) == (-one.total, -one.correction)


def test_without_its_controls_there_is_no_shift() -> None:
    found = experiment(conditions=(condition_score("user", -1, -2), condition_score("baseline", -1, -2)))
    assert found.shift is None
    assert found.verdict_effect is None


def test_the_verdicts_effect_is_the_mean_over_the_wordings_that_both_have() -> None:
    found = scored().verdict_effect
    assert found == VerdictEffect(score=-0.7 + 2.9, margin=(-0.7 + 2.2) - (-2.9 + 1.1))
    several = experiment(
        conditions=(
            condition_score("right", -1.0, -2.0),
            condition_score("right", -3.0, -2.0, 1),
            condition_score("right", -9.0, -9.0, 2),
            condition_score("wrong", -2.0, -1.0),
            condition_score("wrong", -4.0, -2.0, 1),
        )
    )
    assert several.verdict_effect == VerdictEffect(score=1.0, margin=1.5)


def test_right_and_wrong_that_are_the_same_have_no_effect() -> None:
    assert scored(right=MARGINS["wrong"]).verdict_effect == VerdictEffect(0, 0)


def test_a_part_that_cannot_be_had_is_none_where_it_is_asked_for() -> None:
    assert available(Unavailable("no")) is None
    assert available(None) is None
    part = FrozenRoute((), 1.5, 1.5)
    assert available(part) is part
    assert part.sum == 1.5


def test_what_it_cost_is_told_in_passes_over_the_whole_text() -> None:
    assert experiment(tokens_read=300, text_length=120).forward_equivalents == 2.5
    assert experiment().forward_equivalents == 0


def test_a_check_holds_up_to_its_bound() -> None:
    assert [ExactCheck("a", gap, 1e-5).ok for gap in (0.0, 1e-5, 2e-5, float("nan"))] == [True, True, False, False]


def test_the_total_is_the_sum_of_its_two_parts() -> None:
    assert Shift(0.25, -1.5).total == -1.25
    assert CASE.named == "London"
