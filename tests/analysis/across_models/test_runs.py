"""Runs of one conversation: their names, their letters, their sides, and which are one model in two formats."""

from __future__ import annotations

import pytest
from model_runs import asked_only, called, run_of

from llm_tracker.analysis.across_models.runs import format_pairs, named


def names(*runs: tuple[str, str, str]) -> list[str]:
    return [each.name for each in named([called(run_of(), *run) for run in runs])]


def test_a_model_is_called_by_its_title() -> None:
    assert names(("Small", "float32", "a"), ("Large", "float32", "b")) == ["Small", "Large"]


def test_a_model_in_two_number_formats_is_called_by_its_format_too() -> None:
    formats = (("Small", "float32", "a"), ("Small", "bfloat16", "a"), ("Large", "float32", "b"))
    assert names(*formats) == ["Small, float32", "Small, bfloat16", "Large"]


def test_two_models_of_one_title_are_told_apart_by_their_ids() -> None:
    assert names(("Small", "float32", "a"), ("Small", "float32", "b")) == ["Small (a)", "Small (b)"]


def test_runs_that_are_alike_in_all_of_these_are_numbered() -> None:
    typed_out = (("Small", "float32", "a"), ("Small", "bfloat16", "a"), ("Small", "float32", "a"))
    assert names(*typed_out) == ["Small, float32", "Small, bfloat16", "Small, float32 (2)"]


def test_each_run_has_a_letter_in_its_order() -> None:
    assert [each.letter for each in named([run_of(), run_of(), run_of(5)])] == ["A", "B", "C"]
    with pytest.raises(ValueError, match="zip"):
        named([run_of()] * 9)


def test_the_last_answer_is_compared_with_the_one_that_was_corrected_and_with_its_control() -> None:
    run = run_of()
    (one,) = named([run])
    turns, control = run.session.turns, run.session.controls[1]
    assert [(side.name, side.turn) for side in one.sides] == [
        ("before", turns[0]),
        ("after", turns[1]),
        ("again", control),
    ]
    assert all(side.step == side.turn.first_step for side in one.sides)
    assert one.side("again") is not None
    assert one.n_layers == 3


def test_one_answer_alone_has_nothing_after_it() -> None:
    (one,) = named([asked_only()])
    assert [side.name for side in one.sides] == ["before"]
    assert one.side("after") is None


def test_formats_are_compared_with_float32_wherever_that_stands() -> None:
    formats = [("Small", "bfloat16", "a"), ("Small", "float32", "a"), ("Large", "float32", "b")]
    pairs = format_pairs(named([called(run_of(), *run) for run in formats]))
    assert [(one.letter, reference.letter) for one, reference in pairs] == [("A", "B")]


def test_without_float32_the_first_format_is_what_others_are_compared_with() -> None:
    formats = [("Small", "bfloat16", "a"), ("Small", "float16", "a")]
    pairs = format_pairs(named([called(run_of(), *run) for run in formats]))
    assert [(one.letter, reference.letter) for one, reference in pairs] == [("B", "A")]
    assert format_pairs(named([called(run_of(), *formats[0])])) == []
