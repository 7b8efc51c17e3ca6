"""A teacher gives a lesson: the projector in a dark room, guesses, the answer uncovered, a presenter's keys."""

from __future__ import annotations

from contextlib import suppress

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from steps import Visit, choose, expect_ready, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.fixture
def lesson(visit: Visit, server: str) -> Page:
    """The third lesson, opened at its top from far down the page's list, in dark."""
    tab = visit(f"{server}/Teach", scheme="dark")
    expect_ready(tab)
    tab.set_viewport_size({"width": 1280, "height": 300})
    tab.get_by_role("button", name="Open the lesson").nth(2).click()
    expect(tab.get_by_role("heading", name="Where the correction travels")).to_be_in_viewport()
    tab.set_viewport_size({"width": 1280, "height": 800})
    settle(tab)
    return tab


def heading(tab: Page, name: str) -> None:
    expect(tab.get_by_role("heading", name=name, exact=True)).to_be_visible()
    settle(tab)


def expect_picture(tab: Page, name: str) -> None:
    picture = tab.get_by_role("img", name=name)
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.naturalWidth") > 0


def test_a_lesson_is_given_with_the_projector(lesson: Page) -> None:
    lesson.get_by_role("button", name="Begin in the projector").click()
    heading(lesson, "The question")
    expect(lesson.get_by_test_id("stSidebar")).to_be_hidden()
    lesson.get_by_role("button", name="Ask", exact=True).click()
    heading(lesson, "The answer")
    for guess in ("Paris", "Lyon", "paris"):
        field = lesson.get_by_role("textbox", name="A guess")
        field.fill(guess)
        field.press("Enter")
        settle(lesson)
    expect(lesson.get_by_role("button", name="Paris · 2")).to_be_visible()
    expect(lesson.locator(".lt-big")).to_have_count(0)
    expect(lesson.get_by_role("button", name="Uncover the answer")).to_be_enabled()
    lesson.keyboard.press("PageDown")  # while the field still has the focus, as a remote control would
    expect(lesson.locator(".lt-big.lt-before")).to_have_text("Paris")
    expect(lesson.get_by_text("2 of 3 guesses were right.")).to_be_visible()
    expect(lesson.get_by_text("“Paris” was 95 % likely.")).to_be_visible()
    lesson.keyboard.press("PageDown")
    heading(lesson, "The correction")
    lesson.get_by_role("button", name="Correct", exact=True).click()
    heading(lesson, "The answer after the correction")
    expect(lesson.get_by_role("button", name="Uncover the answer")).to_be_enabled()
    lesson.keyboard.press("ArrowRight")
    expect(lesson.locator(".lt-big.lt-after")).to_have_text("London")
    lesson.keyboard.press("ArrowRight")
    heading(lesson, "What changed")
    # The figures and the control may come in this order, or at once.
    expect(lesson.locator(".lt-large").first).to_contain_text("“Paris” 95 % → under 0.1 %")
    expect(lesson.locator(".lt-large").last).to_contain_text("Of the 95 points that “Paris” lost, 30 come with merely")
    lesson.keyboard.press("PageDown")
    heading(lesson, "Where the named word travels")
    lesson.get_by_role("button", name="Find out what it did").click()
    expect(lesson.get_by_text("layer 24 brings it to the position that writes the answer")).to_be_visible()
    expect_picture(lesson, "Where the named word travels")
    lesson.keyboard.press("PageDown")
    heading(lesson, "Which heads carried it")
    expect_picture(lesson, "Which heads carried it")
    expect(lesson.get_by_text("Layer 24 head 1 brings 42 %")).to_be_visible()
    with suppress(PlaywrightTimeout):  # it may have come to its end
        lesson.get_by_role("button", name="Stop", exact=True).click(timeout=1_000)
    expect(lesson.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    settle(lesson)
    assert lesson.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(lesson)
    assert found.violations_count == 0, found.generate_report()
    lesson.keyboard.press("b")
    expect(lesson.get_by_role("heading")).to_have_count(0)
    lesson.keyboard.press("Escape")
    heading(lesson, "Where the correction travels")


def test_a_sheet_is_printed(lesson: Page) -> None:
    with lesson.expect_download() as loading:
        lesson.get_by_role("button", name="Sheet to print").click()
    page = loading.value.path().read_text(encoding="utf-8")
    assert loading.value.suggested_filename == "where-the-correction-travels.html"
    assert "Where does the difference arrive at the answer?" in page
    assert "Date" in page


def test_a_class_is_taught_in_its_language(lesson: Page) -> None:
    choose(lesson, "Language", "Deutsch")
    heading(lesson, "Welchen Weg die Korrektur nimmt")
    lesson.get_by_role("button", name="Im Projektor beginnen").click()
    heading(lesson, "Die Frage")
