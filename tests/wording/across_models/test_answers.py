"""What the table of answers says: the same, different, cut, one model alone, formats apart, never read exactly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from model_runs import WORD, answering, asked_only, called, having_read_otherwise, run_of

import llm_tracker as lt
from llm_tracker.analysis.across_models.runs import ModelRun, NamedRun, Parity, named
from llm_tracker.prompts.thoughts import Thought
from llm_tracker.tracing.whole_words import Spelling, WordScore
from llm_tracker.wording.across_models.answers import answers_cell, answers_sentence, badge, word_cell


def saying(*answers: tuple[str, ...], **changes: object) -> tuple[NamedRun, ...]:
    """Runs with these answers before and after."""
    return named([answering(called(run_of(), f"Model {at}"), *each, **changes) for at, each in enumerate(answers)])


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([], ""),
        ([("Paris", "Rome")], "It says “Paris” and, after the correction, “Rome”."),
        ([("Paris", "Rome")] * 2, "Both say “Paris” and, after the correction, “Rome”."),
        (
            [("Paris", "Rome"), ("paris.", "Rome"), ("Paris", "ROME")],
            "All 3 say “Paris” and, after the correction, “Rome”.",
        ),
        (
            [("Paris", "Rome"), ("Paris", "Paris")],
            "They answer differently: A says “Paris” and, after the correction, “Rome”; "
            "B says “Paris” and, after the correction, still “Paris”.",
        ),
        (
            [("Paris", "Rome"), ("Bonn", "Rome"), ("Paris", "Rome")],
            "They answer differently: A and C say “Paris” and, after the correction, “Rome”; "
            "B says “Bonn” and, after the correction, “Rome”.",
        ),
        ([("Paris", "")], "It says “Paris” and, after the correction, nothing."),
        ([("", "")] * 2, "Both say nothing and, after the correction, still nothing."),
    ],
)
def test_models_that_answer_the_same_are_named_together(answers: list[tuple[str, ...]], said: str) -> None:
    assert answers_sentence(saying(*answers)) == said


def test_an_answer_that_did_not_come_is_none_that_is_empty() -> None:
    (empty,) = saying(("", ""))
    (cut,) = saying(("", ""), thought=Thought(99, "Hm.", "", "Hm."))
    runs = named([empty.run, cut.run])
    assert [turn.has_answer for turn in cut.run.session.turns] == [False, False]
    assert answers_sentence(runs) == (
        "They answer differently: A says nothing and, after the correction, still nothing; B says no answer and, after "
        "the correction, still no answer."
    )


def test_a_question_alone_has_one_answer() -> None:
    runs = named([answering(asked_only(), "Paris"), answering(asked_only(), "Bonn")])
    assert answers_sentence(runs) == "They answer differently: A says “Paris”; B says “Bonn”."


def test_an_answer_that_was_cut_is_said_to_be() -> None:
    assert answers_sentence(saying(("Par", "Rome"), ended="limit")).endswith("“Rome”. An answer was cut short.")


def test_the_cell_has_both_answers_and_the_control() -> None:
    (one,) = saying(("Paris", "Rome"))
    control = one.run.session.controls[1].answer
    cell = answers_cell(one)
    assert cell.text == "“Paris” → “Rome”"
    assert cell.notes == (f"asked again: “{control}”",)
    assert answers_cell(named([answering(asked_only(), "Paris")])[0]) == ("“Paris”", ())


def scored(run: ModelRun, before: float, after: float, again: float | None = None) -> ModelRun:
    """The same run with these probabilities of the word."""

    def with_score(turn: lt.Turn, prob: float) -> lt.Turn:
        score = WordScore(WORD, (Spelling(WORD, (1,), math.log(prob)),), "answer")
        return replace(turn, scores={turn.first_step: {WORD: score}})

    session = run.session
    turns = tuple(with_score(turn, prob) for turn, prob in zip(session.turns, (before, after), strict=False))
    controls = {} if again is None else {1: with_score(session.controls[1], again)}
    return replace(run, session=replace(session, turns=turns, controls=controls))


def test_a_word_has_its_probability_before_after_and_asked_again() -> None:
    (one,) = named([scored(run_of(), 0.9, 0.02, 0.5)])
    assert word_cell(one, WORD) == ("90 % → 2 %", ("asked again: 50 %",))
    (tiny,) = named([scored(run_of(), 0.0002, 0.00001)])
    assert word_cell(tiny, WORD) == ("1 in 5,000 → 1 in 100,000", ())
    assert word_cell(one, "zebra") == ("not scored", ())
    (alone,) = named([scored(asked_only(), 0.9, 0.9)])
    assert word_cell(alone, WORD) == ("90 %", ())


def test_another_number_format_is_told_in_points_from_the_one_it_is_compared_with() -> None:
    one, reference = named([scored(run_of(), 0.904, 0.02), scored(run_of(), 0.9, 0.021)])
    assert word_cell(one, WORD, reference).notes == ("+0.4 → −0.1 points against float32",)
    same, reference = named([scored(run_of(), 0.9, 0.02), scored(run_of(), 0.9, 0.02004)])
    assert word_cell(same, WORD, reference).notes == ("0 → 0 points against float32",)
    assert word_cell(one, WORD, named([run_of()])[0]).text == "90 % → 2 %"
    other = named([having_read_otherwise(scored(run_of(), 0.904, 0.02)), scored(run_of(), 0.9, 0.021)])
    assert word_cell(other[0], WORD, other[1]).notes == (
        "+0.4 points against float32 before; then each reads another text",
    )


def test_the_badge_says_how_exactly_it_was_read() -> None:
    assert badge(Parity(12, 7.6e-6), "float32") == "✓ read exactly (12 checks, largest gap 8·10⁻⁶)"
    assert badge(Parity(12, 0.2), "bfloat16") == "✓ read as exactly as bfloat16 allows (12 checks, largest gap 2·10⁻¹)"
    assert badge(None, "float32") == "not checked here"
