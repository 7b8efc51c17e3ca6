"""What the margins under the conditions say, at their edges: no effect, tiny, reversed, missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from experiments import example_experiment

import llm_tracker as lt
from llm_tracker.experiments.values.conditions import CONDITION_NAMES
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
    assert "Merely asking again changes the lead of “Paris” over “London” by −2.0 nats" in said
    assert "the correction changes it by −1.0 nats on top of that (odds divided by 3)" in said


@pytest.mark.parametrize(
    ("user", "odds"),
    [(3.0 - 6.7, " (odds divided by 812)"), (3.0 + 6.7, " (odds times 812)"), (3.3, ""), (1003.0, ""), (-997.0, "")],
)
def test_odds_fall_or_rise_and_stand_only_where_people_can_picture_them(user: float, odds: str) -> None:
    assert shift_sentence(with_margins(asked_again=3.0, user=user)).endswith(f" on top of that{odds}.")


def test_a_correction_that_changes_nothing_is_told_so_and_not_ranked() -> None:
    said = shift_sentence(with_margins(baseline=5.0, asked_again=3.0, user=3.0))
    assert said.endswith("by −2.0 nats; the correction changes nothing on top of that.")


def test_a_correction_that_lies_among_the_ways_of_asking_again_has_no_detectable_effect() -> None:
    found = example_experiment()
    again = [score.margin for score in found.conditions if score.condition.name == "asked_again"]
    between = with_margins(user=sum(again) / len(again))
    assert not is_detectable(between)
    said = f": {len(again)} ways of asking again differ by at least as much among themselves, so no detectable effect."
    assert shift_sentence(between).endswith(said)
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
    by_text = {(score.condition.place, score.condition.text): score.margin for score in found.conditions}
    behind = sum(margin < 0 for margin in by_text.values())
    assert len(by_text) == 65, "the correction itself is one of the ready wordings too"
    said = margins_sentence(found)
    assert "furthest behind, “Paris” is at −15 nats, with “That is wrong. The correct answer is London.”" in said
    assert f"Under {behind} of {len(by_text)} wordings “London” is ahead of “Paris”" in said
    spreads = {
        name: max(margins) - min(margins)
        for name in CONDITION_LABELS
        if len(margins := [s.margin for s in found.conditions if s.condition.name == name]) > 1
    }
    assert f"({CONDITION_LABELS[max(spreads, key=lambda name: spreads[name])]})" in said
    everywhere = with_margins(**dict.fromkeys(CONDITION_LABELS, 1.0))
    assert margins_sentence(everywhere).startswith("Under all 65 wordings “Paris” is ahead")
    nowhere = with_margins(**dict.fromkeys(CONDITION_LABELS, -1.0))
    assert margins_sentence(nowhere).startswith("Under none of 65 wordings")
    assert "Wordings of the same" not in margins_sentence(nowhere)
    level = with_margins(**dict.fromkeys(CONDITION_LABELS, 0.0))
    assert margins_sentence(level).startswith("Under none of 65 wordings is “Paris” ahead")


def test_one_wording_is_told_as_one_and_nothing_said_stands_without_marks() -> None:
    alone = tuple(each for each in with_margins(baseline=-2.0).conditions if each.condition.name == "baseline")
    said = margins_sentence(replace(example_experiment(), conditions=alone))
    assert said.startswith("Under the one wording “Paris” is not ahead of “London”;")
    assert "furthest behind, “Paris” is at −2.0 nats" in said
    assert said.endswith(", with nothing said.")
    ahead = tuple(each for each in with_margins(baseline=2.0).conditions if each.condition.name == "baseline")
    said = margins_sentence(replace(example_experiment(), conditions=ahead))
    assert said.startswith("Under the one wording “Paris” is ahead of “London”")


def test_the_verdict_effect_is_the_mean_over_pairs_of_wordings() -> None:
    found = example_experiment()
    pairs = [(found.score("right", at), found.score("wrong", at)) for at in range(4)]
    mean = sum(r.margin - w.margin for r, w in pairs if r is not None and w is not None) / 4
    assert f"its lead larger by {mean:.1f} nats (mean of 4 pairs of wordings)" in verdict_sentence(found)
    assert verdict_sentence(replace(found, conditions=())) == ""


def test_a_verdict_that_takes_away_makes_less_likely_and_the_lead_smaller() -> None:
    """Of one pair: the right word's score falls by 2 nats, the other's rises by half a nat."""
    right, wrong = (example_experiment().score(name) for name in ("right", "wrong"))
    assert right is not None
    assert wrong is not None
    right = replace(right, score_answer=-5.0, score_foil=-2.5)
    wrong = replace(wrong, score_answer=-3.0, score_foil=-3.0)
    assert verdict_sentence(replace(example_experiment(), conditions=(right, wrong))) == (
        "“Right” in place of “wrong”, one word, makes “Paris” less likely by 2.0 nats and its lead smaller by 2.5 nats "
        "(one pair of wordings)."
    )


def test_a_lead_that_is_not_there_cannot_be_lost() -> None:
    behind = "Merely asked again, “Paris” is not ahead of “London”: there is no lead that could be lost."
    in_question = "What is said in the question is held against the question alone, where “Paris”"
    assert flips_sentence(with_margins(asked_again=-1.0, baseline=-0.5), 0, 0) == (
        f"{behind} {in_question} is not ahead: that is not counted."
    )
    assert flips_sentence(with_margins(asked_again=-1.0, baseline=2.0), 3, 16) == (
        f"{behind} {in_question} leads by 2.0 nats. "
        "More than the lead is taken away by 3 of 16 wordings besides the controls: there “London” comes out ahead."
    )
    assert flips_sentence(with_margins(asked_again=2.0, baseline=-0.5), 3, 40) == (
        f"Merely asked again, “Paris” leads by 2.0 nats (the truth margin). {in_question} is not ahead: that is not "
        "counted. More than the lead is taken away by 3 of 40 wordings besides the controls: there “London” comes out "
        "ahead."
    )


@pytest.mark.parametrize(
    ("n_flipped", "n", "said"),
    [
        (2, 57, "by 2 of 57 wordings besides the controls: there “London” comes out ahead."),
        (1, 14, "by 1 of 14 wordings besides the controls: there “London” comes out ahead."),
        (1, 1, "by 1 of 1 wording besides the controls: there “London” comes out ahead."),
        (0, 14, "by none of 14 wordings besides the controls."),
    ],
)
def test_wordings_that_take_more_than_there_is_are_counted(n_flipped: int, n: int, said: str) -> None:
    told = flips_sentence(with_margins(asked_again=1.0), n_flipped, n)
    assert (
        told
        == "Merely asked again, “Paris” leads by 1.0 nats (the truth margin). What is said in the question is held "
        f"against the question alone, where “Paris” leads by 5.0 nats. More than the lead is taken away {said}"
    )


def test_every_condition_has_a_name_and_what_was_written_is_counted_by_its_grade() -> None:
    found = example_experiment()
    assert CONDITION_LABELS.keys() == set(CONDITION_NAMES)
    assert {score.condition.name for score in found.conditions} <= CONDITION_LABELS.keys()
    grades = [score.grade for score in found.conditions if score.grade is not None]
    said = graded_sentence(found.conditions)
    assert f"the right word {grades.count('answer')} times" in said
    assert f"neither {grades.count('other')} times" in said
    assert graded_sentence(()) == ""
    assert graded_sentence([replace(found.conditions[0], grade="answer")]) == (
        "What the model writes under one condition (first wording): the right word once, the other word 0 times, "
        "neither 0 times."
    )
