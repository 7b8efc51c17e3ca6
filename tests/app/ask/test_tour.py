"""The first six steps: each is done by doing it, all can be skipped, and what is done stays done."""

from __future__ import annotations

from visitor import asked, corrected, opened, settled, shown_html, visitor

from llm_tracker.app.ask.tour import STEPS
from llm_tracker.app.work import engine as engines


def test_the_first_step_waits_for_a_reader(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    assert "First steps, 1 of 6." in shown_html(at)
    at = settled(at.button(key="tour next").click().run())
    assert "First steps, 2 of 6." in shown_html(at)


def test_asking_and_correcting_are_done_by_doing_them(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"))
    assert "First steps, 3 of 6." in shown_html(at)
    at = corrected(at)
    assert "First steps, 4 of 6." in shown_html(at)
    at = settled(at.button(key="tour next").click().run())
    at = settled(at.button(key="tour next").click().run())
    assert "First steps, 6 of 6." in shown_html(at)
    at.button(key="tour last").click().run()
    assert visitor(engine).tour == len(STEPS)


def test_skipped_steps_do_not_come_back(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    at = settled(at.button(key="tour skip").click().run())
    assert "First steps" not in shown_html(at)
    assert "First steps" not in shown_html(asked(at))
