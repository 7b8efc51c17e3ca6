"""Small studies: a few questions for tiny models, in plain words that their tokenizer cuts in many ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from small_cases import RECIPE

from llm_tracker.studies.conduct import make_plan
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question, QuestionSet

QUESTIONS = QuestionSet(
    "small",
    (
        Question("france", "What is the capital of France?", "Paris", "London", ("Lutetia",), "capitals", "easy"),
        Question("hot", "The opposite of hot?", "Cold", "Warm", held_out=True),
        Question("legs", "How many legs?", "Eight", "Six", ("8",)),
        Question("grass", "What color is grass, as a rule?", "Green", "Red"),
        Question("bark", "Which animal barks?", "Dog", "Cat", held_out=True),
    ),
)
NAMES = ("right", "wrong", "wrong_alternative", "own_answer_hidden", "pre_emptive_simple", "pre_emptive_right")


def small_plan(models: tuple[str, ...] = ("tiny",), n_block: int = 2, **changes: Any) -> Plan:
    """A plan of three blocks."""
    given: dict[str, Any] = {"questions": QUESTIONS, "conditions": NAMES, "recipe": RECIPE, **changes}
    return replace(make_plan(models=models, **given), n_block=n_block)
