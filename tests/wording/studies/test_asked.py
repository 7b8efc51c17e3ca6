"""What a study's numbers are true of: its limits, what stands in front of each question, and what that gives away."""

from __future__ import annotations

from typing import Any

from made_studies import row, study

from llm_tracker.studies.conduct import make_plan
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.asked import examples_sentence, given_away, limits_paragraphs
from llm_tracker.wording.studies.labels import LIMITS


def with_examples(*asked: str, system: str = "") -> Study:
    """The study of one question with worked examples in front."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for each in asked:
        messages += [{"role": "user", "content": each}, {"role": "assistant", "content": "Blue"}]
    return study([row("a", "wrong", 1.0)], plan={"recipe_messages": messages})


def test_what_stands_in_front_is_said_with_its_length() -> None:
    assert examples_sentence(with_examples()) == ""
    assert limits_paragraphs(with_examples()) == [LIMITS]
    assert examples_sentence(with_examples(system="Be brief.")) == (
        "In front of each question the model reads a system line."
    )
    assert examples_sentence(with_examples("What color is the sky?", "No.", system="Be brief.")) == (
        "In front of each question the model reads a system line and worked examples (2 messages of a user, each with "
        "its answer)."
    )


def test_a_question_that_stands_among_the_examples_is_named() -> None:
    question = str(with_examples().rows["question"].iloc[0])
    assert given_away(with_examples("Another?")) == ""
    assert given_away(with_examples("Another?", f" {question.upper()} ")) == (
        f"“{question}” stands among these examples with its answer: leave such questions out, or take another recipe."
    )


def test_the_plan_of_the_usual_recipe_has_what_stands_in_front() -> None:
    found = study([row("a", "wrong", 1.0)], plan=make_plan("questions", ["embedded"]).record())
    assert "a system line and worked examples (" in examples_sentence(found)
    assert given_away(found) == ""
