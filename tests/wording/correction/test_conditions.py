"""What the margins under the conditions say, at their edges: no effect, tiny, reversed, missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from experiments import example_experiment

import llm_tracker as lt
from llm_tracker.experiments.values.findings import ConditionScore
from llm_tracker.wording.correction.conditions import (
    CONDITION_LABELS,
    change_sentence,
    flips_sentence,
    graded_sentence,
    is_detectable,
    margins_sentence,
    shift_sentence,
    verdict_sentence,
)


def with_margins(**margins: float) -> lt.Experiment:
    """The example with the margins of some conditions, in all their wordings, put elsewhere."""
    found = example_experiment()

    def moved(score: ConditionScore) -> ConditionScore:
        margin = margins.get(score.condition.name)
        return score if margin is None else replace(score, score_foil=score.score_answer - margin)

    return replace(found, conditions=tuple(map(moved, found.conditions)))


def test_the_shift_is_told_in_two_steps_with_their_signs() -> None:
    said = shift_sentence(with_margins(baseline=5.0, asked_again=3.0, user=2.0))
    assert "Merely asking again changes the lead of “Paris” over “London” by -2.0 nats" in said
    assert "the correction changes it by -1.0 nats on top of that (times 3 in odds)" in said


def test_a_correction_that_lies_among_the_ways_of_asking_again_has_no_detectable_effect() -> None:
    found = example_experiment()
    again = [score.margin for score in found.conditions if score.condition.name == "asked_again"]
    between = with_margins(user=sum(again) / len(again))
    assert not is_detectable(between)
    assert "no detectable effect" in shift_sentence(between)
    assert is_detectable(with_margins(user=max(again) + 0.1))
    assert "no detectable effect" not in shift_sentence(with_margins(user=max(again) + 0.1))


def test_one_wording_of_the_control_alone_shows_no_detectable_effect_either_way() -> None:
    found = with_margins(user=1.0, asked_again=1.0)
    alone = replace(found, conditions=tuple(each for each in found.conditions if each.condition.paraphrase == 0))
    assert "ways of asking again" not in shift_sentence(alone)


@pytest.mark.parametrize("sentence", [shift_sentence, change_sentence, margins_sentence])
def test_without_scores_it_is_said_that_they_are_missing(sentence: object) -> None:
    assert callable(sentence)
    said = str(sentence(replace(example_experiment(), conditions=())))
    assert "yet" in said


def test_margins_are_counted_on_both_sides_and_the_widest_spread_is_named() -> None:
    found = example_experiment()
    behind = sum(score.margin < 0 for score in found.conditions)
    said = margins_sentence(found)
    assert f"Under {behind} of {len(found.conditions)} wordings “London” is ahead of “Paris”" in said
    spreads = {
        name: max(margins) - min(margins)
        for name in CONDITION_LABELS
        if len(margins := [s.margin for s in found.conditions if s.condition.name == name]) > 1
    }
    assert f"({CONDITION_LABELS[max(spreads, key=lambda name: spreads[name])]})" in said
    everywhere = with_margins(**dict.fromkeys(CONDITION_LABELS, 1.0))
    assert margins_sentence(everywhere).startswith("Under all 66 wordings “Paris” is ahead")
    nowhere = with_margins(**dict.fromkeys(CONDITION_LABELS, -1.0))
    assert margins_sentence(nowhere).startswith("Under none of 66 wordings")


def test_the_verdict_effect_is_the_mean_over_pairs_of_wordings() -> None:
    found = example_experiment()
    pairs = [(found.score("right", at), found.score("wrong", at)) for at in range(4)]
    mean = sum(r.margin - w.margin for r, w in pairs if r is not None and w is not None) / 4
    assert f"its lead larger by {mean:+.1f} nats (mean of 4 pairs of wordings)" in verdict_sentence(found)
    assert verdict_sentence(replace(found, conditions=())) == ""


def test_a_lead_that_is_not_there_cannot_be_lost() -> None:
    assert "no lead that could be lost" in flips_sentence(with_margins(asked_again=-1.0), 0, 57)
    assert "2 of 57 wordings take away more than that" in flips_sentence(with_margins(asked_again=1.0), 2, 57)


def test_every_condition_has_a_name_and_what_was_written_is_counted_by_its_grade() -> None:
    found = example_experiment()
    assert {score.condition.name for score in found.conditions} == CONDITION_LABELS.keys()
    grades = [score.grade for score in found.conditions if score.grade is not None]
    said = graded_sentence(found.conditions)
    assert f"the right word {grades.count('answer')} times" in said
    assert f"neither {grades.count('other')} times" in said
    assert graded_sentence(()) == ""
