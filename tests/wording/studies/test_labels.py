"""What conditions and models are called, so that no two are called the same."""

from __future__ import annotations

from typing import get_args

import pytest
from made_studies import model

from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.wording.studies.labels import all_of, condition_label, group_label, model_label, number_of


def test_every_condition_has_a_label_of_its_own() -> None:
    names = get_args(ConditionName)
    assert len({condition_label(name) for name in names}) == len(names)


def test_of_a_condition_with_both_words_it_says_which() -> None:
    def group(pushes: str, first: str, name: str = "mention") -> dict[str, str]:
        return {"condition": name, "pushes": pushes, "first": first}

    both = [group("foil", "right"), group("answer", "other"), group("foil", "right", "simple")]
    assert [group_label(each, both) for each in both[:2]] == [
        "a word merely mentioned (the wrong word)",
        "a word merely mentioned (the right word)",
    ]
    assert group_label(both[0], both[:1]) == "a word merely mentioned"
    fixed = [group("foil", "right"), group("foil", "other")]
    assert [group_label(each, fixed) for each in fixed] == [
        "a word merely mentioned (right at first)",
        "a word merely mentioned (not right at first)",
    ]


def test_corrections_of_the_readers_own_are_numbered_where_there_are_several() -> None:
    assert [condition_label(name) for name in ("user", "user 1", "user 12")] == [
        "your own correction",
        "your own correction 1",
        "your own correction 12",
    ]


@pytest.mark.parametrize(
    ("models", "labels"),
    [
        ([model("a", "A"), model("b", "B")], ["A", "B"]),
        ([model("a", "A"), model("b", "A", "bfloat16"), model("c", "C")], ["A (float32)", "A (bfloat16)", "C"]),
        ([model("x/a", "A"), model("y/a", "A")], ["A (x/a)", "A (y/a)"]),
        ([model("x/a", "A"), model("y/a", "A"), model("z", "A", "bfloat16")], ["A (x/a)", "A (y/a)", "A (z)"]),
    ],
)
def test_models_of_one_title_are_told_apart(models: list[dict[str, object]], labels: list[str]) -> None:
    assert [model_label(each, models) for each in models] == labels
    assert len(set(labels)) == len(models)


def test_things_are_counted_in_the_singular_and_the_plural() -> None:
    assert [number_of(n) for n in (0, 1, 2, 1200)] == ["0 questions", "1 question", "2 questions", "1,200 questions"]
    assert [all_of(n, "case") for n in (1, 2, 3)] == ["the one case", "both cases", "all 3 cases"]
