"""Which studies this host takes: their rows have to fit into memory, and what was typed is measured as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparing import by_name
from visitor import Loader

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.limits import PUBLIC
from llm_tracker.app.work.studying.running import STUDY, begin_study, is_all_there, why_not
from llm_tracker.app.work.studying.so_far import StudySoFar
from llm_tracker.app.work.studying.wish import Wish, plan_of
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.load_options import AUTO
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question, QuestionSet
from llm_tracker.studies.values.rows import Found


def planned(n: int, wish: Wish | None = None, **words: object) -> Plan:
    """A plan of so many questions to the built-in model."""
    question = replace(Question("q", "Is it?", "Yes", "No"), **words)  # type: ignore[arg-type]
    questions = QuestionSet("q.csv", tuple(replace(question, id=f"q{at}") for at in range(n)))
    return plan_of(wish or Wish(), questions, ("embedded",), "one-word", AUTO)


def test_rows_that_do_not_fit_into_memory_are_refused_with_what_to_do(engine: engines.Engine) -> None:
    assert why_not(engine, planned(1000)) == ""
    said = why_not(engine, planned(1000, Wish(inside=True)))
    assert said.startswith("The rows of this study take about 198 MiB. This page keeps them in memory, up to 128 MiB: ")
    assert said.endswith(
        "take fewer questions, do not look inside, or run `llm-tracker study`, which writes them to a folder."
    )
    assert why_not(engine, planned(300, Wish(inside=True))) == ""


def test_a_model_that_is_loaded_is_taken_for_as_deep_as_it_is(engine: engines.Engine, loader: Loader) -> None:
    plan = planned(1000, Wish(inside=True))
    assert "198 MiB" in why_not(engine, plan)
    loader.load = by_name
    engine.models.model("embedded")
    assert why_not(engine, plan) == "", "it has three layers"


def test_without_a_look_inside_there_are_fewer_texts_to_be_taken(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_tracker.app.work.studying.running.MAX_COMPUTED_BYTES", 2**20)
    assert "up to 1 MiB: take fewer questions or texts, or run `llm-tracker study`" in why_not(engine, planned(900))


@pytest.mark.parametrize(
    "words",
    [
        {"question": "why " * 300},
        {"answer": "yes" * 400},
        {"foil": "no" * 600},
        {"aliases": tuple(f"yes {at}" for at in range(200))},
    ],
)
def test_all_that_is_typed_is_measured_on_a_shared_host(engine: engines.Engine, words: dict[str, object]) -> None:
    engine.limits, workspace = PUBLIC, Workspace()
    begin_study(engine, workspace, Wish(), planned(2, **words))
    assert "at most 1,000 are taken here" in workspace.errors[STUDY]
    assert workspace.job is None


def test_a_correction_that_is_too_long_is_refused_on_a_shared_host(engine: engines.Engine) -> None:
    engine.limits, workspace = PUBLIC, Workspace()
    begin_study(engine, workspace, Wish(), planned(2, Wish(correction="No. " * 300)))
    assert "at most 1,000 are taken here" in workspace.errors[STUDY]


def test_all_is_there_of_a_plan_once_it_is_whole_and_of_no_other_one() -> None:
    plan, workspace = planned(2), Workspace()
    assert not is_all_there(workspace, plan)
    whole = {task: Found({}, {}) for task in plan.tasks}
    workspace.keep_computed(STUDY, StudySoFar(plan, Wish(), dict(list(whole.items())[:1])))
    assert not is_all_there(workspace, plan)
    workspace.keep_computed(STUDY, StudySoFar(plan, Wish(), whole))
    assert is_all_there(workspace, planned(2))
    assert not is_all_there(workspace, planned(3))
