"""A study as far as it has come: what is missing, what is done, and how long another one takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparing import by_name

from llm_tracker.app.work.studying.so_far import StudySoFar, bytes_of
from llm_tracker.app.work.studying.wish import Wish, own_part, plan_of, typed_questions
from llm_tracker.load_options import AUTO
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.values.plan import Task
from llm_tracker.studies.values.rows import TABLES, Found


def found(seconds: float, n_rows: int = 0) -> Found:
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
    rows["results"] = [{}] * n_rows
    return Found(rows, {"id": "m"}, seconds)  # type: ignore[arg-type]


@pytest.fixture
def half() -> StudySoFar:
    """Ten questions of two models; the first has been asked three, in 2, 4 and 6 seconds."""
    plan = plan_of(Wish(), own_part("10"), ("a", "b"), "one-word", AUTO)
    return StudySoFar(plan, Wish(), {Task(0, at): found(2.0 * at + 2) for at in range(3)})


def test_what_is_missing_comes_model_by_model(half: StudySoFar) -> None:
    assert [task.model for task in half.missing] == [0] * 7 + [1] * 10
    assert half.missing[0] == Task(0, 3)
    assert not half.is_whole
    assert half.share == pytest.approx(3 / 20)
    assert (half.n_questions(0), half.n_questions(1)) == (3, 0)


def test_another_study_takes_as_long_as_its_texts_are_many(half: StudySoFar) -> None:
    assert half.plan.n_rows == 5
    assert half.pace("a") == pytest.approx((2 + 4 + 6) / 3 / 5)
    other = plan_of(Wish(conditions=("wrong",)), own_part("30"), ("a",), "one-word", AUTO)
    assert half.seconds_of(other) == pytest.approx(30 * 3 * 12 / 15)


def test_nobody_knows_how_long_another_model_or_a_look_inside_takes(half: StudySoFar) -> None:
    assert half.pace("b") is None
    assert half.seconds_of(half.plan) is None
    alone = replace(half.plan, models=("a",))
    assert half.seconds_of(alone) is not None
    assert half.seconds_of(replace(alone, inside=True)) is None
    assert half.seconds_of(replace(alone, chain=True)) is None


def test_its_size_grows_with_its_rows(half: StudySoFar) -> None:
    fuller = replace(half, blocks={**half.blocks, Task(0, 3): found(1.0, 100)})
    assert fuller.n_bytes > half.n_bytes


def test_how_much_a_plan_takes_is_known_before_it_is_run() -> None:
    questions = typed_questions("What is it?, Paris, London\nWho is it?, Bonn, Rome")
    plan = plan_of(Wish(chain=True, inside=True), questions, ("a",), "one-word", AUTO)
    model = by_name("embedded", AUTO)
    blocks = {task: read_block(model, plan, plan.questions_of(task)) for task in plan.tasks}
    whole = StudySoFar(plan, Wish(), blocks)
    expected = bytes_of(plan, [model.architecture.n_layers])
    assert whole.n_bytes <= expected <= 2 * whole.n_bytes
    outside = replace(plan, chain=False, inside=False)
    results = {task: replace(block, tables={"results": block.tables["results"]}) for task, block in blocks.items()}
    assert bytes_of(outside, [3]) == StudySoFar(outside, Wish(), results).n_bytes
    assert bytes_of(replace(plan, models=("a", "b")), [3, 3]) == 2 * expected
