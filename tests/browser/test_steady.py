"""Nothing jumps while tokens arrive: the layout shift of a question, a correction and its control."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from steps import ask_capital, correct, expect_answer, expect_control, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]

MEASURE = """
window.shifts = [];
new PerformanceObserver(list => {
    for (const each of list.getEntries())
        window.shifts.push([each.value, each.sources.map(s => s.node?.className || s.node?.nodeName).join(' | ')]);
}).observe({type: 'layout-shift', buffered: true});
"""
"""All shifts count, those within half a second of a click too: stricter than the usual measure (CLS, web.dev)."""


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_stays_where_it_is_while_answers_come(browser: Browser, server: str, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.set_default_timeout(60_000)
    tab.goto(server)
    expect_answer(tab, "after", "London")
    tab.wait_for_timeout(6000)
    settle(tab)
    tab.evaluate(MEASURE)
    tab.wait_for_timeout(300)
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
        shifts = tab.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < 0.1, (act, shifts)
    tab.close()


def test_a_long_answer_grows_within_its_card(browser: Browser, server: str) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.set_default_timeout(60_000)
    tab.goto(server)
    tab.get_by_text("✓ read exactly").wait_for()
    tab.get_by_text("Plain chat").click()
    tab.get_by_label("Longest answer, in tokens", exact=True).fill("60")
    tab.get_by_label("Longest answer, in tokens", exact=True).press("Enter")
    settle(tab)
    tab.get_by_label("Question", exact=True).fill("Write a long story about a dragon.")
    tab.get_by_label("Question", exact=True).press("Enter")
    expect(tab.locator(".lt-card.before .note")).to_contain_text("Writing", timeout=60_000)
    tab.evaluate(MEASURE)
    tab.wait_for_timeout(200)
    tab.evaluate("window.shifts = []")
    expect(tab.locator(".lt-card.before .note")).to_contain_text("likely", timeout=60_000)
    settle(tab)
    shifts = tab.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) < 0.1, shifts
    tab.close()
