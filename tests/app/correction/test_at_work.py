"""The Correction page while something is computed: a second run, a Stop or a question loses nothing that is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from correcting import all_there, begun, case_of, keep, kept, of_correction, on_correction, pressed, waits_behind
from explore import alts
from small_experiments import path, whole_experiment
from streamlit.testing.v1 import AppTest
from visitor import asked, corrected, opened, reopened, settled, shown_html, until, visitor

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.causes.edits import edits_on
from llm_tracker.app.work.causes.experiments import experiment_on
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.experiments import run

OWN = experiment_on(TurnRef(1, 1))
A_PATH = {"hand_over": path()}
ANOTHER = Job("control", subject="another", status="running")


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let experiments find no more than these parts until they are stopped."""

    def wait(*parts: dict[str, Any]) -> None:
        monkeypatch.setattr(run, "stream_experiment", waits_behind(*parts))

    return wait


def with_whole(engine: engines.Engine, answer: str = "Bonn", foil: str = "Rome") -> AppTest:
    """A page on which everything was found out, with the two words."""
    at = of_correction(engine)
    keep(engine, replace(whole_experiment(), turn=1, case=case_of(visitor(engine).sessions[1], answer, foil)))
    return settled(at.run())


def stopped(engine: engines.Engine, at: AppTest, n_found: int) -> AppTest:
    """Wait until so much has come, then press Stop."""
    at = until(at, lambda: visitor(engine).job is not None and visitor(engine).job.n_found >= n_found)
    return all_there(engine, at.button(key="stop experiment").click().run())


@pytest.mark.parametrize(("parts", "foil"), [((), "Oslo"), ((A_PATH,), "Rome")], ids=["other words", "the same"])
def test_a_second_run_that_is_stopped_leaves_the_whole_one_that_was_kept(
    engine: engines.Engine, waiting: Callable[..., None], parts: tuple[dict[str, Any], ...], foil: str
) -> None:
    at = with_whole(engine)
    before, charts = visitor(engine).sessions[1].experiments[1], alts(at)
    waiting(*parts)
    at = stopped(engine, begun(at, "Bonn", foil), 1 + len(parts))
    assert visitor(engine).sessions[1].experiments[1] == before
    assert alts(at) == charts
    assert visitor(engine).errors == {}


def test_a_first_run_that_is_stopped_at_once_keeps_nothing(
    engine: engines.Engine, waiting: Callable[..., None]
) -> None:
    at = of_correction(engine)
    waiting()
    at = stopped(engine, begun(at, "Bonn", "Rome"), 1)
    assert visitor(engine).sessions[1].experiments == {}
    assert [button.label for button in at.button if button.label.startswith("Find out")] == ["Find out what it did"]


def test_a_first_run_that_is_stopped_keeps_the_parts_that_were_whole(
    engine: engines.Engine, waiting: Callable[..., None]
) -> None:
    at = of_correction(engine)
    waiting(A_PATH)
    at = stopped(engine, begun(at, "Bonn", "Rome"), 2)
    assert kept(engine).hand_over == path()
    assert len(alts(at)) == 1


def test_a_question_keeps_what_an_experiment_under_way_had_found(
    engine: engines.Engine, waiting: Callable[..., None]
) -> None:
    at = of_correction(engine)
    waiting(A_PATH)
    at = until(begun(at, "Bonn", "Rome"), lambda: visitor(engine).job.n_found == 2)
    at = asked(at.switch_page("dashboard.py").run(), "And this?")
    assert visitor(engine).sessions[2].turns[0].said == "And this?"
    assert kept(engine).hand_over == path()
    assert visitor(engine).errors == {}


def test_what_is_kept_stays_on_the_page_until_as_much_of_the_same_has_come(
    engine: engines.Engine, waiting: Callable[..., None]
) -> None:
    at = with_whole(engine)
    charts = alts(at)
    waiting(A_PATH)
    at = until(begun(at, "Bonn", "Rome"), lambda: visitor(engine).job.n_found == 2)
    assert alts(at) == charts
    stopped(engine, at, 2)


def test_what_is_kept_stays_on_the_page_while_a_run_waits_for_its_turn(engine: engines.Engine) -> None:
    at = with_whole(engine)
    charts = alts(at)
    visitor(engine).job = Job("experiment", subject=OWN, status="queued")
    at = at.run()
    assert "Waiting for the model" in shown_html(at)
    assert alts(at) == charts
    visitor(engine).job = None


def test_what_is_of_other_words_makes_room_for_what_comes(engine: engines.Engine, waiting: Callable[..., None]) -> None:
    at = with_whole(engine)
    waiting(A_PATH)
    at = until(begun(at, "Bonn", "Oslo"), lambda: visitor(engine).job.n_found == 2)
    assert len(alts(at)) == 1
    assert "Being computed" in shown_html(at)
    stopped(engine, at, 2)


def test_the_buttons_wait_while_something_else_is_computed(engine: engines.Engine) -> None:
    at = with_whole(engine)
    at = at.slider[0].set_value((1, 1)).run()
    visitor(engine).job = ANOTHER
    at = at.run()
    waiting = [button for button in at.button if button.label.endswith("(once what is being computed is there)")]
    assert [button.label.split(" (")[0] for button in waiting][:2] == ["Find out again", "Hide in layers 1 to 1"]
    assert all(button.disabled for button in waiting)
    visitor(engine).job = None
    assert not any(button.disabled for button in settled(at.run()).button if button.label == "Find out again")


@pytest.mark.parametrize("label", ["Find out again", "Hide in layers 1 to 1"])
def test_a_press_that_comes_just_behind_something_else_says_so(engine: engines.Engine, label: str) -> None:
    at = with_whole(engine)
    at = at.slider[0].set_value((1, 1)).run()
    visitor(engine).job = ANOTHER
    at = pressed(at, label)
    assert [each.value for each in at.toast] == [
        "Not begun: something else is being computed. Press again once it is there."
    ]
    assert visitor(engine).job is ANOTHER
    visitor(engine).job = None


def test_why_an_experiment_failed_stands_under_its_own_conversation_alone(engine: engines.Engine) -> None:
    at = corrected(asked(corrected(asked(opened("dashboard.py"))), "And this?"))
    first = begun(on_correction(reopened(at, turns="1.0-1.1")), "Paris", "paris")
    assert "stands for both words" in shown_html(first)
    other = on_correction(reopened(at, turns="2.0-2.1"))
    assert "stands for both words" not in shown_html(other)


def test_why_an_answer_could_not_be_edited_stands_where_it_was_asked_for(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = of_correction(engine)
    engine.limits = replace(engine.limits, prompt_tokens=10)
    at = pressed(at, "Answer again")
    html = shown_html(at)
    assert visitor(engine).errors.keys() == {edits_on(TurnRef(1, 1))}
    assert html.index("Change one thing") < html.index("here it goes on up to 10")
    assert len(at.toast) == 0


def test_a_correction_of_one_word_offers_no_answer_without_it(engine: engines.Engine) -> None:
    at = of_correction(engine, "No.")
    at = at.selectbox(key="kind of edit").set_value("drop").run()
    assert "without it, nothing would be said" in shown_html(at)
    assert not any(button.label.startswith("Answer again") for button in at.button)
