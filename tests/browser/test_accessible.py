"""Keyboard alone does the whole path; every chart has its text and its table; axe-core finds nothing serious."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from steps import darken, expect_all_views, expect_answer, expect_control, opened, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]

STREAMLITS_OWN: dict[str, str] = {}
"""Selector -> why: serious findings in Streamlit's own elements that a page cannot mend. None is left."""


def with_all_panels_open(tab: Page) -> Page:
    """A tab on a corrected turn with its control, all panels open."""
    expect_answer(tab, "after", "London")
    expect_control(tab)
    expect_all_views(tab)
    settle(tab)  # a panel that comes after the others were counted would stay closed
    for panel in tab.locator("[data-testid=stExpander] summary").all():
        panel.click()
    settle(tab)
    return tab


@pytest.fixture(scope="module")
def whole(window: BrowserContext, corrected: str) -> Iterator[Page]:
    """A tab on all that there is of a corrected turn, to be looked at."""
    tab = with_all_panels_open(opened(window, corrected))
    yield tab
    tab.close()


def test_axe_finds_nothing_serious_after_a_corrected_turn_in_both_schemes(whole: Page) -> None:
    for scheme, colour in (("light", "rgb(179, 87, 15)"), ("dark", "rgb(238, 154, 85)")):
        if scheme == "dark":
            darken(whole)
        expect(whole.locator(".lt-card.after .answer")).to_have_css("color", colour)
        serious = [
            (scheme, each["id"], node["target"], node["html"][:200])
            for each in Axe().run(whole).response["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
            if str(node["target"]) not in STREAMLITS_OWN
        ]
        assert serious == []


def test_every_chart_says_in_words_what_it_shows_and_has_a_table(whole: Page) -> None:
    charts = whole.locator("[data-testid=stVegaLiteChart][aria-label]")
    assert whole.locator("[data-testid=stVegaLiteChart] svg [aria-label]").count() == 0, "no coordinates are read out"
    said = [label for label in charts.evaluate_all("all => all.map(each => each.getAttribute('aria-label'))") if label]
    for view, sentence in {
        "Candidates": "merely asked again, “Paris” leads with 67 %.",
        "Layers": "the read-out prefers “Paris” to “London” from layer 24 of 30 on",
        "Where all of the attention went": "83 % is parked",
    }.items():
        assert any(label.startswith(view) and sentence in label for label in said), said
    for caption in (
        "Candidates, before",
        "Candidates, after",
        "Candidates, asked again",
        "Before: its own token “Paris”, layer by layer",
        "Attention, after",
    ):
        table = whole.get_by_role("table", name=caption, exact=True)
        expect(table).to_be_visible()
        assert table.get_by_role("row").count() > 3


def focused(page: Page) -> str:
    """What has the focus, as a screen reader would name it: label or text."""
    return str(
        page.evaluate(
            """() => { let at = document.activeElement;
                while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                return at.getAttribute('aria-label') || at.innerText || at.tagName; }"""
        )
    ).strip()


def tab_to(page: Page, name: str, limit: int = 120) -> None:
    """Press Tab until the element of this name has the focus."""
    settle(page)
    for _ in range(limit):
        page.keyboard.press("Tab")
        if focused(page).startswith(name):
            return
    raise AssertionError(f"“{name}” cannot be reached with Tab")


def test_the_whole_path_by_keyboard_alone(page: Page) -> None:
    tab_to(page, "Question")
    page.keyboard.press("Control+A")
    page.keyboard.type("What is the capital of Japan?")
    page.keyboard.press("Enter")
    expect_answer(page, "before", "Tokyo")
    tab_to(page, "Correction")
    page.keyboard.type("That is wrong. The correct answer is Seoul.")
    page.keyboard.press("Enter")
    expect_answer(page, "after", "Seoul")
    expect_control(page)
    settle(page)
    tab_to(page, "Token 1, “To”")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lt-card.before .note")).to_contain_text("Token 2 of")
    assert focused(page).startswith("Token 2")
    tab_to(page, "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".lt-card.after .head")).to_contain_text("That is wrong.”")
    tab_to(page, "Layer")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("slider", name="Layer")).to_have_value("29")


def test_the_focus_can_be_seen(page: Page) -> None:
    for name in ("Question", "Ask", "capital", "Token 1"):
        tab_to(page, name)
        style = page.evaluate(
            """() => { let at = document.activeElement;
                while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                const ring = each => { const s = getComputedStyle(each);
                    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'; };
                const field = at.closest('[data-testid=stTextInputRootElement]');
                return ring(at) || (field !== null && ring(field)); }"""
        )
        assert style, f"{name} does not show that it has the focus"
