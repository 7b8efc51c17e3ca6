"""A study at work: stopped, gone on with, overtaken by a question, failed; what came is always kept, and once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pandas as pd
import pytest
from comparing import by_name
from explore import gone_to
from streamlit.testing.v1 import AppTest
from studying import STUDY, THREE, Reader, all_run, kept, on_study, pressed, run_study, said_in_red, table_rows, typed
from visitor import ROOT, Loader, asked, followed, headings, settled, shown_html, until, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work import model_desk
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.studying.running import shown_study
from llm_tracker.app.work.studying.so_far import study_of
from llm_tracker.studies.engines import worker


@pytest.fixture
def reader(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Reads the blocks of this test, and ends with it."""
    reader = Reader()
    monkeypatch.setattr(worker, "read_block", reader)
    yield reader
    for job in [each.job for each in engine.workspaces if each.job is not None]:
        job.stop()
        while job.active:
            time.sleep(0.01)


@pytest.fixture
def half(engine: engines.Engine, reader: Reader) -> AppTest:
    """A page on which one of three questions has come, and the second is being asked."""
    reader.waits_before = "embedded: Who is it?"
    at = pressed(typed(on_study(engine), THREE), "run study")
    return until(at, lambda: shown_study(visitor(engine)) is not None and asked_of(at) == ["What is it?"])


def asked_of(at: AppTest) -> list[str]:
    """The questions that have been asked; the table has the others, too."""
    head, *rows = table_or_nothing(at) or [["question"]]
    return [row[head.index("question")] for row in rows if "not asked yet" not in row]


def table_or_nothing(at: AppTest) -> list[list[str]]:
    return table_rows(at, "Answers before and after") if "Answers before and after" in shown_html(at) else []


def test_what_came_is_shown_with_the_time_left_while_more_is_coming(engine: engines.Engine, half: AppTest) -> None:
    assert [row[:3] for row in table_or_nothing(half)[2:]] == [
        ["Who is it?", "Bonn / Rome", "not asked yet"],
        ["Where is it?", "Oslo / Bern", "not asked yet"],
    ]
    job = visitor(engine).job
    assert job is not None
    assert job.share == pytest.approx(1 / 3)
    assert job.found.seconds_left > 0
    (bar,) = half.get("progress")
    assert "1 of 3 questions, about" in bar.proto.text
    assert "Not all is there yet" in shown_html(half)


def test_stop_keeps_what_came_and_go_on_asks_only_the_others(
    engine: engines.Engine, half: AppTest, reader: Reader
) -> None:
    at = all_run(engine, pressed(half, "stop study"))
    assert "Stopped with 1 of 3 questions of" in shown_html(at)
    (first,) = kept(engine).blocks.values()
    assert reader.asked == ["embedded: What is it?"]
    reader.go_on.set()
    at = all_run(engine, pressed(at, "go on with study"))
    assert reader.asked == ["embedded: What is it?", "embedded: Who is it?", "embedded: Where is it?"]
    assert next(iter(kept(engine).blocks.values())) is first
    assert asked_of(at) == ["What is it?", "Who is it?", "Where is it?"]
    assert "go on with study" not in [each.key for each in at.button]


def test_the_rows_are_those_of_a_study_that_was_never_stopped(
    engine: engines.Engine, half: AppTest, reader: Reader
) -> None:
    at = all_run(engine, pressed(half, "stop study"))
    reader.go_on.set()
    all_run(engine, pressed(at, "go on with study"))
    model = engine.models.loaded("embedded")
    assert model is not None
    plan = kept(engine).plan
    whole = lt.study(plan.questions, [model], plan.conditions).rows
    own = study_of(kept(engine)).rows
    pd.testing.assert_frame_equal(own.drop(columns="seconds"), whole.drop(columns="seconds"), atol=1e-4)


def test_another_tab_and_another_page_find_it_still_at_work(
    engine: engines.Engine, half: AppTest, reader: Reader
) -> None:
    other = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=90)
    other.query_params["s"] = visitor(engine).key
    other = other.switch_page(STUDY).run()
    assert asked_of(other) == ["What is it?"]
    page = other.switch_page("pages/2_Layers.py").run()
    assert "On the Study page: questions are being asked" in shown_html(page)
    reader.go_on.set()
    back = all_run(engine, page.switch_page(STUDY).run())
    assert len(asked_of(back)) == 3


def test_a_question_comes_first_and_the_study_can_be_gone_on_with(
    engine: engines.Engine, half: AppTest, reader: Reader
) -> None:
    at = asked(half.switch_page("dashboard.py").run(), "And this?")
    assert visitor(engine).sessions[1].turns[0].said == "And this?"
    at = until(at, lambda: visitor(engine).job is None)
    at = gone_to(at, STUDY)
    assert "Stopped with 1 of 3 questions of" in shown_html(at)
    reader.go_on.set()
    at = all_run(engine, pressed(at, "go on with study"))
    assert len(asked_of(at)) == 3


def test_a_question_that_fails_is_said_and_the_others_stay(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(Reader):
        def __call__(self, model: lt.LoadedModel, plan: object, questions: object, stop: object) -> object:  # type: ignore[override]
            if any(each.question == "Who is it?" for each in questions):  # type: ignore[attr-defined]
                raise lt.InputError("Question “row-2”: it is too long for this model. Shorten it.")
            return super().__call__(model, plan, questions, stop)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "read_block", Refusing())
    at = run_study(engine, on_study(engine))
    assert "Question “row-2”: it is too long for this model." in said_in_red(at)
    assert asked_of(at) == ["What is it?"]
    assert "go on with study" in [each.key for each in at.button]


def test_another_study_leaves_the_earlier_one_until_something_of_it_is_there(
    engine: engines.Engine, reader: Reader
) -> None:
    at = run_study(engine, on_study(engine))
    reader.waits_before = "embedded: Else?"
    at = pressed(typed(at, "Else?, A, B"), "run study")
    until(at, lambda: visitor(engine).job is not None and visitor(engine).job.found is not None)
    assert len(asked_of(at)) == 3
    at = all_run(engine, pressed(at, "stop study"))
    assert len(asked_of(at)) == 3
    reader.go_on.set()
    at = all_run(engine, pressed(at, "run study"))
    assert asked_of(at) == ["Else?"]


def test_the_same_study_is_not_run_again_and_another_one_can_be(engine: engines.Engine, reader: Reader) -> None:
    at = run_study(engine, on_study(engine))
    assert "SmolLM2-135M-Instruct: all of it is there, below. Change something above to ask more." in shown_html(at)
    assert at.button(key="run study").disabled
    assert len(reader.asked) == 3
    at = typed(at, "Else?, A, B")
    assert "all of it is there" not in shown_html(at)
    assert not at.button(key="run study").disabled


@pytest.fixture
def two(engine: engines.Engine, reader: Reader, loader: Loader, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A page on which two models are wanted, and nothing has begun."""
    monkeypatch.setattr(model_desk, "is_local", lambda _entry: True)
    loader.load = by_name
    return settled(on_study(engine).selectbox(key="study second model").set_value("smollm2").run())


def test_two_models_stop_within_the_second_and_go_on_there(
    engine: engines.Engine, reader: Reader, two: AppTest
) -> None:
    reader.waits_before = "smollm2: Who is it?"
    at = pressed(typed(two, THREE), "run study")
    at = until(at, lambda: len(asked_of(at)) == 3 + 1)
    at = all_run(engine, pressed(at, "stop study"))
    assert "3 of 3 questions of" in shown_html(at)
    assert reader.asked[3:] == ["smollm2: What is it?"]
    assert len(asked_of(at)) == 3 + 1
    reader.go_on.set()
    at = all_run(engine, pressed(at, "go on with study"))
    assert [each.split(":")[0] for each in reader.asked] == ["embedded"] * 3 + ["smollm2"] * 3
    assert kept(engine).is_whole
    assert headings(at)[2] == "Two models: who loses which right answers"


def test_a_stop_that_is_pressed_as_the_second_model_begins_stops_that_one(
    engine: engines.Engine, reader: Reader, two: AppTest
) -> None:
    reader.waits_before = "embedded: Where is it?"
    at = pressed(typed(two, THREE), "run study")
    at = until(at, lambda: len(reader.asked) == 2)
    drawn_for = visitor(engine).job
    reader.waits_before = "smollm2: What is it?"
    followed(engine, drawn_for)
    at = all_run(engine, at.button(key="stop study").click().run())
    assert [each.split(":")[0] for each in reader.asked] == ["embedded"] * 3
    assert "go on with study" in [each.key for each in at.button]


def test_the_button_waits_while_something_else_is_computed(engine: engines.Engine) -> None:
    at = on_study(engine)
    visitor(engine).job = Job("other", subject="another", status="running")
    at = at.run()
    button = at.button(key="run study")
    assert button.label == "Run the study (once what is being computed is there)"
    assert button.disabled
    visitor(engine).job = None


def test_how_long_another_one_takes_is_said_once_a_question_was_timed(engine: engines.Engine) -> None:
    at = on_study(engine)
    assert "how long it takes is said once the first is there" in shown_html(at)
    at = run_study(engine, at)
    at = typed(at, THREE.replace("Who", "Which"))
    assert "3 questions, 5 answers each by SmolLM2-135M-Instruct: about " in shown_html(at)
    at = settled(at.toggle(key="study inside").set_value(True).run())
    assert "a look inside: how long it takes is said once the first is there" in shown_html(at)
