"""Nothing jumps while tokens arrive: the layout shift of a question, a correction and its control."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from steps import Visit, ask_capital, correct, expect_answer, expect_control, expect_ready, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]

MEASURE = """
window.shifts = [];
new PerformanceObserver(list => {
    for (const each of list.getEntries())
        window.shifts.push([each.value, each.sources.map(s =>
            `${s.node?.className || s.node?.nodeName}: ${s.previousRect.y} to ${s.currentRect.y}`).join(' | ')]);
}).observe({type: 'layout-shift', buffered: true});
"""
"""All shifts count, those within half a second of a click too: stricter than the usual measure (CLS, web.dev)."""


def begin_to_measure(tab: Page) -> None:
    """Measure from here on. What had been seen before is told to a new observer too, and does not count."""
    tab.evaluate(MEASURE)
    shifts_of(tab)
    tab.evaluate("window.shifts = []")


def shifts_of(tab: Page) -> list[tuple[float, str]]:
    """All shifts so far. They are told with the next frames: two of them are waited for."""
    tab.evaluate("new Promise(next => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(next))))")
    return tab.evaluate("window.shifts")  # type: ignore[no-any-return]


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.soak), 400])
def test_the_page_stays_where_it_is_while_answers_come(visit: Visit, server: str, width: int) -> None:
    tab = visit(server, width=width)
    expect_answer(tab, "after", "London")
    tab.get_by_text("✓ read exactly").wait_for(state="attached")  # on a narrow screen the sidebar is put away
    settle(tab)
    begin_to_measure(tab)
    for act in ("ask", "correct"):
        tab.evaluate("window.shifts = []")
        if act == "ask":
            ask_capital(tab)
            expect(tab.locator(".lt-card.after")).to_contain_text("Correct the answer")
        else:
            correct(tab)
            expect_answer(tab, "after", "London")
            expect_control(tab)
        settle(tab)
        shifts = shifts_of(tab)
        assert sum(value for value, _ in shifts) < 0.1, (act, shifts)


def test_a_long_answer_grows_within_its_card(visit: Visit, server: str) -> None:
    tab = visit(server)
    expect_ready(tab)
    tab.get_by_text("Plain chat").click()
    tab.get_by_label("Longest answer, in tokens", exact=True).fill("40")
    tab.get_by_label("Longest answer, in tokens", exact=True).press("Enter")
    settle(tab)
    tab.get_by_label("Question", exact=True).fill("Write a long story about a dragon.")
    tab.get_by_label("Question", exact=True).press("Enter")
    expect(tab.locator(".lt-card.before .note")).to_contain_text("Writing")
    begin_to_measure(tab)
    expect(tab.locator(".lt-card.before .note")).to_contain_text("likely")
    settle(tab)
    shifts = shifts_of(tab)
    assert sum(value for value, _ in shifts) < 0.1, shifts
