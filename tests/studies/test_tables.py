"""Tables in the shapes of published ones: each number by hand, each definition as its docstring has it."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from made_studies import EVERY, chain, frame, model, row, study, whole_study

from llm_tracker.studies.statistics.by_question import by_question, first_wordings
from llm_tracker.studies.statistics.intervals import mean, rate
from llm_tracker.studies.statistics.published import published_tables
from llm_tracker.studies.statistics.tables import (
    advice,
    changes,
    flip_flop,
    margins,
    suggestions,
    truth_and_sensitivity,
    two_models,
    without_word,
)
from llm_tracker.studies.values.rows import Record


def one(table: pd.DataFrame, **where: object) -> pd.Series:
    """The one line of a table."""
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_a_phrase_has_a_mark_where_the_word_stands_by_itself_and_nowhere_else() -> None:
    assert without_word("It is I, I think. In is not it.", "I", "…") == "It is …, … think. In is not it."
    assert without_word("It is C++.", "C++", "…") == "It is …."
    assert without_word("That is wrong.", "", "…") == "That is wrong."


CHALLENGED = [
    row("kept", "are_you_sure", 1.0),
    row("lost", "are_you_sure", -1.0),
    row("gibberish", "are_you_sure", 1.0, after="other"),
    row("mended", "are_you_sure", 1.0, before="foil"),
    row("stays wrong", "are_you_sure", -1.0, before="foil"),
    row("another", "are_you_sure", 1.0, before="other", after="other", answer_text="Nothing"),
    row("the same", "are_you_sure", 1.0, before="other", after="other", answer_text=" maybe. "),
    row("by another name", "are_you_sure", 1.0, answer_text="Correct"),
]


def test_flip_flop_by_hand() -> None:
    found = one(flip_flop(frame(CHALLENGED)))
    assert (found["n"], found["accuracy_before"], found["accuracy_after"]) == (8, 4 / 8, 3 / 8)
    assert found["effect"] == pytest.approx(-1 / 8)
    assert found["any_to_flip"] == 4 / 8, "lost, gibberish, mended, another"
    assert (found["right_to_flip"], found["wrong_to_flip"]) == (2 / 4, 2 / 4)
    assert (found["right_to_wrong"], found["wrong_to_right"], found["neither"]) == (2, 1, 3)
    whole = rate([True] * 4 + [False] * 4)
    assert (found["any_to_flip_low"], found["any_to_flip_high"]) == (whole.low, whole.high)
    paired = mean([0, -1, -1, 1, 0, 0, 0, 0])
    assert (found["effect_low"], found["effect_high"]) == (paired.low, paired.high)


def test_flip_flop_is_of_challenges_behind_an_answer_and_of_their_first_wording() -> None:
    rows = [row("a", name, 1.0, paraphrase=wording) for name in EVERY for wording in (0, 1)]
    found = flip_flop(frame(rows))
    assert "baseline" not in set(found["condition"])
    assert not found["condition"].str.startswith("pre_emptive").any()
    assert set(found["n"]) == {1}
    assert found["any_to_flip"].eq(0).all()


@pytest.mark.parametrize(("after", "flips"), [("answer", 0), ("foil", 1)])
def test_where_all_or_none_flip_the_rates_are_whole_and_the_missing_ones_stay_missing(after: str, flips: int) -> None:
    found = one(flip_flop(frame(row(f"q{at}", "wrong", 1.0, after=after) for at in range(5))))
    assert (found["any_to_flip"], found["right_to_flip"], found["effect"]) == (flips, flips, -flips)
    assert math.isnan(found["wrong_to_flip"]), "there was no wrong answer that could"


SUGGESTED = ("baseline", "pre_emptive_right", "pre_emptive_wrong", "pre_emptive_doubt")


def test_suggestions_by_hand() -> None:
    after = {
        "baseline": "answer",
        "pre_emptive_right": "answer",
        "pre_emptive_wrong": "foil",
        "pre_emptive_doubt": "other",
    }
    rows = [row(each, name, 1.0 if each == "a" else -1.0, after=after[name]) for each in "ab" for name in SUGGESTED]
    found = suggestions(frame(rows))
    assert found["suggestion"].tolist() == [
        "no suggestion",
        "suggests the right word",
        "suggests the wrong word",
        "doubts the right word",
    ]
    assert found["accuracy"].tolist() == [1, 1, 0, 0]
    assert found["ahead"].tolist() == [0.5] * 4
    assert suggestions(frame(rows[:3])).empty, "without one of the four the table says nothing"


def test_margins_are_of_each_phrase_in_which_the_right_word_had_a_lead_to_lose() -> None:
    rows = [
        row("a", "simple", -1.0, again=2.0),
        row("a", "simple", 1.5, again=2.0, paraphrase=1, text="I would say Wrong, yes Wrong."),
        row("b", "simple", 3.0, again=4.0),
        row("behind", "simple", -3.0, again=-1.0),
        row("a", "baseline", 3.0),
    ]
    found = margins(frame(rows))
    first, second = found.to_dict("records")
    assert (first["n"], second["n"]) == (2, 1)
    assert (first["truth_margin"], first["sensitivity"], first["flipped"]) == (3, 2, 0.5)
    assert (second["truth_margin"], second["sensitivity"], second["flipped"]) == (2, 0.5, 0)
    assert (first["text"], second["text"]) == ("simple: ….", "I would say …, yes ….")


def test_margins_leave_out_what_puts_the_right_word_forward_but_not_what_denies_it() -> None:
    rows = [
        row("a", "simple", 1.0),
        row("b", "simple", 1.0, before="foil"),
        row("a", "pre_emptive_right", 1.0),
        row("a", "pre_emptive_doubt", 1.0),
        row("a", "negation", 1.0),
        row("b", "negation", 1.0, before="foil"),
        row("a", "wrong", 1.0),
    ]
    found = margins(frame(rows))
    assert list(zip(found["condition"], found["pushes"], strict=True)) == [
        ("simple", "foil"),
        ("pre_emptive_doubt", "answer"),
        ("negation", "foil"),
        ("negation", "answer"),
        ("wrong", ""),
    ]


def test_a_phrase_in_the_question_is_held_against_the_question_alone() -> None:
    rows = [row("a", "pre_emptive_simple", 1.0, again=-5.0, alone=4.0), row("b", "pre_emptive_simple", 1.0, alone=-4.0)]
    assert margins(frame(rows))["truth_margin"].tolist() == [4]


ADVISED = ("simple_right", "simple", "asked_again", "pre_emptive_right", "pre_emptive_simple", "own_answer_hidden")


def test_advice_by_hand() -> None:
    rows = [
        row(each, name, at + 1.0, before=before)
        for at, name in enumerate(ADVISED)
        for each, before in (("a", "answer"), ("b", "foil"))
    ]
    found = advice(frame(rows))
    assert list(zip(found["own_answer"], found["advice"], strict=True)) == [
        (view, kind) for view in ("shown", "hidden") for kind in ("same", "opposite", "neutral")
    ]
    assert found["margin"].tolist() == [1, 2, 3, 4, 5, 6]
    assert set(found["n"]) == {1}, "of the questions that were answered right at first"
    assert found["kept"].eq(1).all()
    assert advice(frame(each for each in rows if each["condition"] != "simple")).empty
    assert advice(frame(each for each in rows if each["grade_before"] == "foil")).empty


GAVE_IN = {"both": (True, True), "first": (True, False), "second": (False, True), "none": (False, False)}


def of_two(third: bool = False) -> list[Record]:
    names = ["tiny", "big"] + (["third"] if third else [])
    rows = [
        row(question, "wrong_alternative", 1.0, after="foil" if gives_in else "answer", model=name)
        for question, both in GAVE_IN.items()
        for name, gives_in in zip(names, (*both, True), strict=False)
    ]
    rows += [
        row("unlike", "wrong_alternative", 1.0, model=name, before=before)
        for name, before in (("tiny", "answer"), ("big", "other"))
    ]
    return [*rows, row("asked of one", "wrong_alternative", 1.0)]


@pytest.mark.parametrize("third", [False, True])
def test_two_models_side_by_side(third: bool) -> None:
    found = two_models(frame(of_two(third))).set_index("question_id")
    assert found["outcome"].to_dict() == {
        "both": "both",
        "first": "only the first",
        "second": "only the second",
        "none": "neither",
        "unlike": "not comparable",
    }
    assert found.loc["first", ["before_1", "after_1", "before_2", "after_2"]].tolist() == [
        "Right",
        "Wrong",
        "Right",
        "Right",
    ]


def test_two_models_may_be_one_in_two_number_formats_and_one_alone_is_not_compared() -> None:
    rows = [row("a", "wrong_alternative", 1.0, dtype=dtype) for dtype in ("float32", "bfloat16")]
    assert two_models(frame(rows))["outcome"].tolist() == ["neither"]
    assert two_models(frame(rows[:1])).empty


def test_changes_are_a_row_for_each_question_and_condition_for_a_reader() -> None:
    rows = [row("a", "baseline", 1.0), row("a", "wrong", -1.0), row("a", "wrong", -1.0, paraphrase=1)]
    (found,) = changes(frame(rows)).to_dict("records")
    assert (found["question"], found["first_answer"], found["answer_text"]) == ("What is a?", "Right", "Wrong")
    assert (found["transition"], found["margin"]) == ("ci", -1)


def test_a_point_flips_where_it_lies_beyond_the_line_whatever_single_wordings_do() -> None:
    rows = [row("a", "wrong", lead, again=1.0, paraphrase=at) for at, lead in enumerate([-0.1, -0.2, 5.0])]
    rows += [row("b", "wrong", lead, again=1.0, paraphrase=at) for at, lead in enumerate([0.1, 0.2, -5.0])]
    found = truth_and_sensitivity(frame(rows)).set_index("question_id")
    assert found["flips"].to_dict() == {"a": False, "b": True}
    assert found["flipped"].to_dict() == {"a": pytest.approx(2 / 3), "b": pytest.approx(1 / 3)}


def test_a_choice_flips_where_the_sensitivity_is_more_than_the_lead_and_the_other_way_round_behind() -> None:
    found = truth_and_sensitivity(whole_study().rows)
    more = found["sensitivity"] > found["truth_margin"]
    assert found["flips"].eq(more.where(found["truth_margin"] > 0, found["sensitivity"] < found["truth_margin"])).all()
    assert 0 < found["flips"].sum() < len(found)
    assert not {"baseline", "asked_again"} & set(found["condition"])


def test_wordings_are_averaged_and_conditions_are_not() -> None:
    rows = frame([row("a", "wrong", 1.0), row("a", "wrong", 3.0, paraphrase=1), row("a", "right", 7.0)])
    assert by_question(rows)["margin"].tolist() == [2, 7]
    assert first_wordings(rows)["margin"].tolist() == [1, 7]


def test_a_study_has_the_tables_that_it_has_what_it_takes_for_each_with_its_source() -> None:
    names = [table.name for table in published_tables(whole_study())]
    assert (
        names
        == (
            "flip_flop suggestions margins peak_excess advice pressure persistence turns_of_flip jumps two_models"
        ).split()
    )
    for table in published_tables(study([row("a", "wrong", 1.0)])):
        assert table.name in ("flip_flop", "margins")
        assert "arXiv" in table.source
    chains = published_tables(study([row("a", "baseline", 1.0)], [model()], chains=chain("a", "aaaaaa")))
    assert [table.name for table in chains] == ["persistence", "turns_of_flip"]
