"""summary.json: its numbers by hand, and what must not change them: wordings, other questions, other models."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from made_studies import model, questions, row, study, whole_study

from llm_tracker.studies.statistics.intervals import adjusted, mean
from llm_tracker.studies.statistics.summary import summary, verdict_effect
from llm_tracker.studies.statistics.tables import truth_and_sensitivity
from llm_tracker.studies.values.rows import Record


def of(made: Record, condition: str, pushes: str | None = None, name: str = "tiny", first: str | None = None) -> Record:
    """The one record of a condition."""
    (found,) = [
        each
        for each in made["conditions"]
        if (each["condition"], each["model"]) == (condition, name)
        and pushes in (None, each["pushes"])
        and first in (None, each["first"])
    ]
    return dict(found)


@pytest.fixture(scope="module")
def made() -> Record:
    return summary(whole_study())


FEW = ("asked_again", "right", "wrong", "wrong_alternative")


def test_a_condition_by_hand() -> None:
    rows = [
        row("a", "wrong", -1.0, again=3.0, after="foil"),
        row("b", "wrong", 2.0, again=1.0),
        row("c", "wrong", 4.0, again=-2.0, after="other"),
        row("d", "wrong", 3.0, again=-1.0, after="other"),
        row("e", "wrong", 3.0, again=-1.0, before="foil", after="answer"),
        row("f", "wrong", 9.0, again=8.0, before="other", after="other"),
    ]
    found = of(summary(study(rows)), "wrong", first="right")
    assert found["n"] == 4
    assert found["margin"]["value"] == pytest.approx((-1 + 2 + 4 + 3) / 4)
    assert found["sensitivity"]["value"] == pytest.approx((4 - 1 - 6 - 4) / 4)
    assert found["flip_rate"]["value"] == 3 / 4, "a falls behind, c and d come ahead"
    assert (found["flip_rate_of_right"]["value"], found["flip_rate_of_right"]["n"]) == (1 / 2, 2)
    assert (found["accuracy_before"]["value"], found["accuracy"]["value"]) == (1, 1 / 4)
    assert (found["was_right"]["n"], found["was_right"]["n_kept"], found["was_right"]["value"]) == (4, 1, 0.25)
    assert found["transitions"] == {"cc": 1, "ci": 1, "ic": 0, "ii": 0, "other": 2}
    assert found["sign_test_p"] == pytest.approx(2 * (1 + 4) / 2**4), "one of four is positive"
    others = of(summary(study(rows)), "wrong", first="other")
    assert others["transitions"] == {"cc": 0, "ci": 0, "ic": 1, "ii": 0, "other": 1}
    assert (others["accuracy_before"]["value"], others["accuracy"]["value"]) == (0, 1 / 2)
    assert (others["was_right"]["n"], others["was_right"]["value"]) == (0, None)


def test_a_control_moves_and_flips_nothing_but_in_its_other_wordings() -> None:
    firsts = [row(f"q{at}", "asked_again", 2.0, again=2.0) for at in range(4)]
    found = of(summary(study(firsts)), "asked_again")
    assert (found["sensitivity"]["value"], found["flip_rate"]["value"], found["flip_rate"]["n"]) == (None, None, 0)
    assert found["sensitivity_by_wording"] == {"low": None, "high": None}
    others = [row(f"q{at}", "asked_again", -1.0, again=2.0, paraphrase=number) for at in range(4) for number in (1, 2)]
    found = of(summary(study(firsts + others)), "asked_again")
    assert (found["sensitivity"]["value"], found["sensitivity"]["n"]) == (3, 4)
    assert found["sensitivity_by_wording"] == {"low": 3, "high": 3}


@pytest.mark.parametrize("lead", [float("nan"), float("inf")])
def test_a_margin_that_is_no_number_is_no_flip_and_not_counted(lead: float) -> None:
    rows = [row(f"q{at}", "wrong", lead if at < 3 else 1.0, again=2.0) for at in range(8)]
    found = of(summary(study(rows)), "wrong")
    assert (found["sensitivity"]["value"], found["sensitivity"]["n"]) == (1, 5)
    assert (found["flip_rate"]["value"], found["flip_rate"]["n"]) == (0, 5)
    assert truth_and_sensitivity(study(rows).rows)["flips"].tolist() == [False] * 5


def test_what_speaks_against_a_right_answer_is_not_summed_up_with_what_speaks_for_one() -> None:
    """Of “wrong”, 3 nats either way: together they would be no effect at all."""
    lost = [row(f"a{at}", "wrong", 1.0, again=4.0) for at in range(6)]
    won = [row(f"b{at}", "wrong", 2.0, again=-1.0, before="foil", after="answer") for at in range(6)]
    found = summary(study(lost + won))
    assert of(found, "wrong", first="right")["sensitivity"]["value"] == 3
    assert of(found, "wrong", first="other")["sensitivity"]["value"] == -3
    assert [each["first"] for each in found["conditions"]] == ["right", "other"]
    effects = summary(study(lost + won))["verdict_effect"]
    assert [(each["first"], each["n"]) for each in effects] == [("", 0), ("right", 0), ("other", 0)]


def test_the_verdict_effect_is_told_of_all_and_of_right_and_other_first_answers_apart() -> None:
    rows = [
        row(question, name, lead, before=before)
        for question, before, leads in (("a", "answer", (3.0, 1.0)), ("b", "foil", (-1.0, 2.0)))
        for name, lead in zip(("right", "wrong"), leads, strict=True)
    ]
    effects = {each["first"]: each["margin"]["value"] for each in summary(study(rows))["verdict_effect"]}
    assert effects == {"": -0.5, "right": 2, "other": -3}


def test_transitions_sum_to_the_questions_and_say_what_rates_say(made: Record) -> None:
    assert len(made["conditions"]) > 60
    for each in made["conditions"]:
        counts = each["transitions"]
        is_control = each["condition"] in ("baseline", "asked_again")
        assert sum(counts.values()) == each["n"]
        assert each["flip_rate"]["n"] == (0 if is_control else each["n"])
        assert each["was_right"]["n_kept"] == counts["cc"]
        assert each["accuracy"]["value"] * each["n"] == pytest.approx(counts["cc"] + counts["ic"])


def test_the_shift_is_the_margin_less_the_truth_margin(made: Record) -> None:
    found = whole_study()
    for each in made["conditions"]:
        keys = ["model", "condition", "question_id"]
        own = found.rows[(found.rows["model"] == each["model"]) & (found.rows["condition"] == each["condition"])]
        if each["first"]:
            own = own[(own["grade_before"] == "answer") == (each["first"] == "right")]
        named = {"foil": own["foil"], "answer": own["answer"], "": ""}[each["pushes"]]
        own = own[own["named"] == named]
        assert each["n"] == own["question_id"].nunique()
        is_control = each["condition"] in ("baseline", "asked_again")
        moved = own[own["paraphrase"] > 0] if is_control else own
        leads = moved.groupby(keys)[["margin", "truth_margin"]].mean()
        if len(leads):
            assert each["sensitivity"]["value"] == pytest.approx((leads["truth_margin"] - leads["margin"]).mean())
        else:
            assert (each["condition"], each["sensitivity"]["value"]) == ("baseline", None)


def test_each_mean_has_the_paired_bootstrap_over_questions_of_the_plans_seed() -> None:
    rows = [row(f"q{at}", "wrong", -at / 3, again=at % 4) for at in range(9)]
    found = of(summary(study(rows, plan={"seed": 7})), "wrong")["sensitivity"]
    whole = mean([at % 4 + at / 3 for at in range(9)], seed=7)
    assert (found["low"], found["high"], found["n"]) == (whole.low, whole.high, 9)


def test_wordings_are_averaged_within_a_question_and_are_no_questions() -> None:
    firsts = [row(f"q{at}", "wrong", float(at)) for at in range(7)]
    others = [row(f"q{at}", "wrong", float(at) - 4, paraphrase=1) for at in range(7)]
    one, two = (of(summary(study(rows)), "wrong") for rows in (firsts, firsts + others))
    assert (two["n"], two["n_wordings"], one["n_wordings"]) == (one["n"], 2, 1)
    assert two["margin"]["value"] == pytest.approx(one["margin"]["value"] - 2)
    assert two["sensitivity_by_wording"] == {"low": pytest.approx(-1), "high": pytest.approx(3)}
    assert {name: two[name] for name in ("flip_rate", "accuracy", "transitions", "was_right")} == {
        name: one[name] for name in ("flip_rate", "accuracy", "transitions", "was_right")
    }


def test_a_wording_that_stands_twice_changes_nothing_but_how_many_there_are() -> None:
    rows = [row(f"q{at}", "wrong", at / 5) for at in range(8)]
    one, two = (
        of(summary(study(each)), "wrong") for each in (rows, rows + [each | {"paraphrase": 1} for each in rows])
    )
    assert two.pop("n_wordings") == one.pop("n_wordings") + 1
    assert one == two


def test_held_out_questions_are_summed_up_as_if_the_others_had_not_been_asked() -> None:
    whole = whole_study(9, conditions=FEW)
    for held_out in (True, False):
        alone = study(whole.rows[whole.rows["held_out"] == held_out].to_dict("records"), whole.models)
        found = summary(whole, held_out)
        assert found["conditions"] == summary(alone)["conditions"]
        assert found["n_questions"] == (3 if held_out else 6)
    assert summary(whole)["n_questions"] == 9


def test_where_no_question_is_held_out_nothing_is_summed_up() -> None:
    found = summary(study(questions(3, "wrong")), held_out=True)
    assert (found["n_questions"], found["conditions"], found["verdict_effect"]) == (0, [], [])


def test_directions_are_summed_up_apart() -> None:
    rows = [row("a", "simple", -1.0), row("b", "simple", 1.0, before="foil"), row("c", "simple", 1.5, before="other")]
    found = summary(study(rows))
    assert of(found, "simple", "foil")["n"] == 1
    assert of(found, "simple", "answer")["n"] == 2
    assert of(found, "simple", "foil")["accuracy_before"]["value"] == 1


def test_corrections_of_the_readers_own_are_conditions_of_their_own() -> None:
    rows = [
        row(f"q{at}", "user", margin, paraphrase=number, names=names)
        for at in range(6)
        for number, (margin, names) in enumerate([(-2.0, "foil"), (5.0, "answer")])
    ]
    found = summary(study(rows))
    assert [(each["condition"], each["pushes"]) for each in found["conditions"]] == [
        ("user 1", "foil"),
        ("user 2", "answer"),
    ]
    assert of(found, "user 1")["flip_rate"]["value"] == 1
    assert of(found, "user 2")["accuracy"] == of(found, "user 2")["accuracy_before"]
    assert {each["n_wordings"] for each in found["conditions"]} == {1}
    alone = summary(study([each for each in rows if each["paraphrase"] == 0]))
    assert [each["condition"] for each in alone["conditions"]] == ["user"]


def test_a_second_model_changes_no_number_of_the_first_but_the_adjusted_ones() -> None:
    rows = questions(7, "wrong", "right")
    other = [each | {"model": "big", "margin": -each["margin"]} for each in rows[:6]]
    alone, both = (
        summary(study(each, models)) for each, models in ((rows, [model()]), (rows + other, [model(), model("big")]))
    )
    for condition in ("wrong", "right", "asked_again"):
        one, two = (of(each, condition) for each in (alone, both))
        assert one | {"sign_test_q": 0} == two | {"sign_test_q": 0}
        assert of(both, condition, name="big")["n"] == 2, "it was asked but two of the questions"


def test_all_conditions_that_are_tested_are_adjusted_together(made: Record) -> None:
    tested = [each for each in made["conditions"] if each["condition"] not in ("baseline", "asked_again")]
    assert [each["sign_test_q"] for each in tested] == adjusted([each["sign_test_p"] for each in tested])
    assert Counter("sign_test_q" in each for each in made["conditions"])[False] == 4, "the two controls of two models"


def both_verdicts(effects: list[float], **how: Any) -> list[Record]:
    return [
        row(f"q{at}", name, lead, score_answer=lead / 2, **how)
        for at, effect in enumerate(effects)
        for name, lead in (("right", 1.0 + effect), ("wrong", 1.0))
    ]


def test_the_verdict_has_no_effect_where_both_verdicts_score_the_same() -> None:
    found = verdict_effect(study(both_verdicts([0.0] * 6)).rows)
    assert (found["margin"]["value"], found["margin"]["low"], found["margin"]["high"]) == (0, 0, 0)
    assert (found["score"]["value"], found["margin"]["n_above"], found["margin"]["p"], found["n"]) == (0, 0, 1, 6)


def test_the_effect_of_the_verdict_by_hand() -> None:
    found = verdict_effect(study(both_verdicts([2.0, 1.0, -1.0, 4.0])).rows)
    assert found["margin"]["value"] == pytest.approx(1.5)
    assert found["score"]["value"] == pytest.approx(0.75)
    assert (found["margin"]["n_above"], found["n"]) == (3, 4)
    assert found["margin"]["p"] == pytest.approx(2 * (1 + 4) / 2**4)


def test_the_effect_of_the_verdict_needs_both_verdicts_of_a_question() -> None:
    rows = both_verdicts([2.0, 1.0, 3.0])[:-1]
    found = verdict_effect(study(rows).rows)
    assert (found["n"], found["margin"]["value"]) == (2, pytest.approx(1.5))
    alone = verdict_effect(study([each for each in rows if each["condition"] == "right"]).rows)
    assert alone == {"model": "tiny", "dtype": "float32", "n": 0}


@pytest.mark.parametrize("n", [1, 2, 8])
def test_it_is_json_with_null_where_there_is_no_number(n: int) -> None:
    made = summary(whole_study(n, conditions=FEW))
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    if n == 1:
        assert made["conditions"][0]["margin"]["low"] is None


def test_it_is_the_same_to_the_bit_each_time() -> None:
    one, other = (summary(whole_study(conditions=FEW)) for _ in range(2))
    assert one == other


def test_with_no_right_first_answer_nothing_could_be_kept() -> None:
    found = of(summary(study([row("a", "wrong", 1.0, before="foil"), row("b", "wrong", 2.0, before="other")])), "wrong")
    assert found["was_right"] == {"value": None, "low": 0, "high": 1, "n": 0, "n_kept": 0}
    assert not np.isnan(found["margin"]["value"])
