"""Models one after the other: stopped, overtaken by a question, in other formats; what came is always kept."""

from __future__ import annotations

import pytest
from comparing import OWN, all_run, by_name, chosen_models, kept, on_compare, pressed_run, ran, run_on, waits_on
from explore import alts, gone_to
from model_runs import run_of
from streamlit.testing.v1 import AppTest
from visitor import Loader, asked, followed, settled, shown_html, until, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.comparing.running import begin_comparing, comparing_on
from llm_tracker.app.work.comparing.variants import Variant
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace


@pytest.fixture
def half(engine: engines.Engine, loader: Loader) -> AppTest:
    """A page on which the first model has come, and the second is being loaded."""
    loader.load = waits_on(["smollm2"])
    at = pressed_run(chosen_models(on_compare(engine), "embedded", "smollm2", "smollm2-360m"))
    return until(at, lambda: ran(engine) == ["embedded"] and is_loading(engine))


def is_loading(engine: engines.Engine) -> bool:
    job = visitor(engine).job
    return job is not None and job.progress is not None


def test_what_came_is_shown_while_the_next_one_is_at_work(engine: engines.Engine, half: AppTest) -> None:
    assert "<b>A</b> embedded" in shown_html(half)
    assert len(alts(half)) == 4
    assert "Not run" not in shown_html(half)
    assert [each.label for each in half.button if each.label == "Stop"] == ["Stop"]
    half.button(key="stop comparing").click().run()


def test_stop_ends_all_that_is_ahead_and_keeps_what_came(engine: engines.Engine, half: AppTest, loader: Loader) -> None:
    at = all_run(engine, half.button(key="stop comparing").click().run())
    assert ran(engine) == ["embedded"]
    assert kept(engine).failures == {}
    assert shown_html(at).count("Not run: it was stopped before its end.") == 2
    loader.load = by_name
    first = kept(engine).runs[Variant("embedded")]
    at = all_run(engine, pressed_run(at))
    assert ran(engine) == ["embedded", "smollm2", "smollm2-360m"]
    assert kept(engine).runs[Variant("embedded")] is first


def test_a_question_comes_first_and_what_came_is_kept(engine: engines.Engine, half: AppTest, loader: Loader) -> None:
    loader.load = by_name
    at = asked(half.switch_page("dashboard.py").run(), "And this?")
    assert visitor(engine).sessions[2].turns[0].said == "And this?"
    assert ran(engine) == ["embedded"]
    assert not at.exception


def test_the_button_waits_while_something_else_is_computed(engine: engines.Engine) -> None:
    at = on_compare(engine)
    visitor(engine).job = Job("other", subject="another", status="running")
    at = at.run()
    (button,) = [each for each in at.button if each.label.startswith("Run it")]
    assert button.label == "Run it on these models (once what is being computed is there)"
    assert button.disabled
    visitor(engine).job = None


def test_a_conversation_that_is_gone_begins_nothing(engine: engines.Engine) -> None:
    workspace = Workspace()
    begin_comparing(engine, workspace, comparing_on(TurnRef(7, 1), 0), [Variant("embedded")], [])
    assert (workspace.job, workspace.computed) == (None, {})


def test_a_conversation_that_is_let_go_takes_along_what_comes_later(
    engine: engines.Engine, half: AppTest, loader: Loader
) -> None:
    workspace = visitor(engine)
    job = workspace.job
    assert job is not None
    workspace.let_go([OWN.turn.session])
    job.keep(Job("models", result=run_of()))
    job.fail(Job("models", status="failed", error="It is too large."))
    assert OWN not in workspace.computed
    job.stop()
    until(half, lambda: workspace.job is None)


def test_a_failure_stands_below_an_earlier_run(engine: engines.Engine, loader: Loader) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")
    assert "Not run" not in shown_html(at)
    at = typed_word(at, "zebra")
    assert "Not run" not in shown_html(at), "nothing was asked for with this word yet"
    engine.models.pool.unload("smollm2")
    loader.load = fails
    at = all_run(engine, pressed_run(at))
    html = shown_html(at)
    assert html.count("<b>B</b> smollm2") > 0
    assert html.count("The weights are damaged. Load them again.") == 1
    assert html.index("<b>B</b> smollm2") < html.index("The weights are damaged.")
    assert "The weights are damaged." not in shown_html(typed_word(at, "London"))


def test_a_stop_is_said_below_an_earlier_run(engine: engines.Engine, loader: Loader) -> None:
    at = typed_word(run_on(engine, on_compare(engine), "embedded", "smollm2"), "zebra")
    engine.models.pool.unload("smollm2")
    loader.load = waits_on(["smollm2"])
    at = until(pressed_run(at), lambda: is_loading(engine))
    at = all_run(engine, at.button(key="stop comparing").click().run())
    html = shown_html(at)
    assert html.count("Not run again with these words: it was stopped before its end.") == 1
    assert html.index("<b>B</b> smollm2") < html.index("Not run again with these words")


def test_a_stop_that_is_pressed_as_the_next_model_begins_stops_that_one(engine: engines.Engine, loader: Loader) -> None:
    waited_for = ["embedded", "smollm2"]
    at = chosen_models(on_compare(engine), *waited_for)
    engine.models.pool.unload("embedded")
    loader.load = waits_on(waited_for)
    at = until(pressed_run(at), lambda: is_loading(engine))
    drawn_for = visitor(engine).job
    waited_for.remove("embedded")
    followed(engine, drawn_for)
    all_run(engine, at.button(key="stop comparing").click().run())
    assert ran(engine) == ["embedded"]


def typed_word(at: AppTest, word: str) -> AppTest:
    """Type, or pick, the word over which the other one leads."""
    box = next(each for each in at.selectbox if each.label == "over")
    if word not in box.options:
        box.options.append(word)
    return settled(box.set_value(word).run())


def fails(name: str, *more: object) -> object:
    if name == "smollm2":
        raise lt.ModelError("The weights are damaged. Load them again.")
    return by_name(name, *more)  # type: ignore[arg-type]


def test_a_control_that_is_not_wanted_is_not_run(engine: engines.Engine) -> None:
    at = on_compare(engine)
    visitor(engine).control = False
    run_on(engine, at, "embedded")
    assert kept(engine).runs[Variant("embedded")].session.controls == {}


def test_the_models_own_format_is_loaded_once_and_another_beside_it(engine: engines.Engine, loader: Loader) -> None:
    asked_for: list[tuple[str, str]] = []

    def noting(name: str, options: object, *more: object) -> object:
        asked_for.append((name, options.dtype))  # type: ignore[attr-defined]
        return by_name(name, options, *more)  # type: ignore[arg-type]

    loader.load = noting
    run_on(engine, on_compare(engine), "embedded", "float16 embedded", "bfloat16 embedded")
    assert asked_for == [("embedded", "auto"), ("embedded", "float16"), ("embedded", "bfloat16")]
    formats = [run.session.model.dtype for run in kept(engine).runs.values()]
    assert formats == ["float32", "float16", "bfloat16"]
    assert [(model.id, model.dtype) for model in engine.models.pool.held()] == [("embedded", "float32")]


def test_other_pages_say_that_models_are_at_work_elsewhere(engine: engines.Engine, half: AppTest) -> None:
    page = half.switch_page("pages/2_Layers.py").run()
    assert "On the Compare page: the same conversation on other models" in shown_html(page)
    visitor(engine).job.stop()
    gone_to(page, "pages/2_Layers.py")
