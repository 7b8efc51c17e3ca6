"""A plan is a value: what its numbers depend on changes its digest, and what cannot be run is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from llm_tracker.errors import InputError
from llm_tracker.load_options import LoadOptions
from llm_tracker.prompts.recipes import Message
from llm_tracker.studies.conduct import make_plan
from llm_tracker.studies.values.conditions import conditions_of
from llm_tracker.studies.values.plan import Plan, Task, plan_recipe
from llm_tracker.studies.values.questions import Question, QuestionSet

SET = QuestionSet("made", tuple(Question(f"q{at}", f"Question {at}?", "A", "B") for at in range(5)))
PLAN = Plan(SET, ("one", "two"), ("baseline", "asked_again", "wrong", "simple"), n_wordings=3, n_block=2)


def test_the_work_is_each_block_of_each_model_and_every_question_once() -> None:
    assert PLAN.tasks == [Task(model, block) for model in (0, 1) for block in (0, 1, 2)]
    for model in (0, 1):
        asked = [each for task in PLAN.tasks if task.model == model for each in PLAN.questions_of(task)]
        assert asked == list(SET)
    assert [len(block) for block in SET.blocks(2)] == [2, 2, 1]


@pytest.mark.parametrize(("n_wordings", "n_rows"), [(1, 1 + 3 + 2), (3, 1 + 9 + 2), (4, 1 + 12 + 2)])
def test_it_says_how_many_rows_a_question_has(n_wordings: int, n_rows: int) -> None:
    plan = replace(PLAN, n_wordings=n_wordings, corrections=("No.", "It is {named}."))
    assert plan.n_rows == n_rows
    for first in ("answer", "foil", "other"):
        assert len(conditions_of(SET.questions[0], first, plan.conditions, n_wordings, plan.corrections)) == n_rows  # type: ignore[arg-type]


CHANGES: list[dict[str, Any]] = [
    {"questions": QuestionSet("made", SET.questions[:4])},
    {"questions": QuestionSet("made", (*SET.questions[:4], replace(SET.questions[4], foil="C")))},
    {"questions": QuestionSet("made", (*SET.questions[:4], replace(SET.questions[4], held_out=True)))},
    {"questions": QuestionSet("made", (*SET.questions[:4], replace(SET.questions[4], aliases=("a1",))))},
    {"models": ("two", "one")},
    {"conditions": ("baseline", "asked_again", "wrong")},
    {"corrections": ("No.",)},
    {"n_wordings": 2},
    {"recipe": "chat"},
    {"recipe_messages": (Message("system", "Be brief."),)},
    {"chain": True},
    {"inside": True},
    {"seed": 1},
    {"date": "2026-01-31"},
    {"load": LoadOptions(dtype="bfloat16")},
    {"n_block": 3},
]


def test_what_its_questions_file_is_called_changes_no_row() -> None:
    assert replace(PLAN, questions=replace(SET, name="renamed")).digest == PLAN.digest


@pytest.mark.parametrize(
    "models", [("a", "a"), ("owner/m", "https://huggingface.co/owner/m"), ("embedded", " embedded ")]
)
def test_one_model_under_two_names_is_refused_for_its_questions_would_count_twice(models: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="named twice"):
        make_plan(SET, models)


def test_a_plan_is_of_one_day_and_a_text_that_is_none_is_refused_before_a_model_is_loaded() -> None:
    assert make_plan(SET, ["one"], date="2026-01-31").date == "2026-01-31"
    assert make_plan(SET, ["one"]).date == datetime.now().date().isoformat()
    with pytest.raises(InputError, match=r"“tomorrow” is no date\. Give one such as"):
        make_plan(SET, ["one"], date="tomorrow")


@pytest.mark.parametrize("change", CHANGES, ids=[next(iter(each)) for each in CHANGES])
def test_what_its_rows_depend_on_changes_its_digest(change: dict[str, Any]) -> None:
    assert replace(PLAN, **change).digest != PLAN.digest


def test_where_it_is_run_does_not_change_its_digest() -> None:
    assert replace(PLAN, load=LoadOptions(device="cpu")).digest == PLAN.digest
    assert replace(PLAN).digest == PLAN.digest


def test_its_record_is_json_and_names_the_questions_by_their_digest() -> None:
    record = json.loads(json.dumps(PLAN.record(), allow_nan=False))
    assert (record["n_questions"], record["models"], record["dtype"]) == (5, ["one", "two"], "auto")
    assert record["questions"]["name"] == "made"
    assert len(record["questions"]["sha256"]) == 64
    assert "load" not in record
    other = replace(PLAN, questions=QuestionSet("made", tuple(reversed(SET.questions))))
    assert other.record()["questions"]["sha256"] != record["questions"]["sha256"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"models": ()}, "A study needs a model. Name one."),
        ({"models": ("one", "one")}, "A model is named twice. Name each once."),
        ({"recipe": "raw"}, "Raw text has no turns in which an answer is corrected. Take another recipe."),
        ({"seed": -1}, "The seed is -1. Give 0 or more."),
        ({"n_wordings": 0}, "Each condition can be said in 1 to 4 ways; 0 were asked for."),
        ({"n_wordings": 5}, "Each condition can be said in 1 to 4 ways; 5 were asked for."),
        ({"models": ("one\ud800",)}, "The text contains half a character"),
        ({"date": "\udcff"}, "The text contains half a character"),
    ],
)
def test_what_cannot_be_run_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(PLAN, **change)
    assert str(caught.value).startswith(said)


def test_a_recipe_is_a_name_or_messages() -> None:
    assert plan_recipe("chat")["recipe"] == "chat"
    assert plan_recipe([{"role": "system", "content": "Be brief."}]) == {
        "recipe": "custom",
        "recipe_messages": (Message("system", "Be brief."),),
    }
    with pytest.raises(InputError, match="There is no recipe “x”"):
        plan_recipe("x")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question": " "}, "“question” is empty. Give one."),
        ({"foil": ""}, "“foil” is empty. Give one."),
        ({"foil": "pARIS "}, "“foil” is pARIS , which is the right word. Give a wrong one."),
        ({"foil": "lutetia"}, "“foil” is lutetia, which is the right word."),
        ({"aliases": ("Lutetia", "\0")}, "“aliases”: The text contains a NUL character"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_by_column(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(Question("x", "Capital?", "Paris", "London", ("Lutetia",)), **change)
    assert str(caught.value).startswith(said)
    assert caught.value.parameters == (next(iter(change)),)


def test_a_set_has_questions_each_with_an_id_of_its_own() -> None:
    with pytest.raises(InputError, match="made has no questions"):
        QuestionSet("made", ())
    with pytest.raises(InputError, match="The id “q1” stands twice in made"):
        QuestionSet("made", (*SET.questions, SET.questions[1]))
    assert (len(SET), [each.id for each in SET]) == (5, ["q0", "q1", "q2", "q3", "q4"])
