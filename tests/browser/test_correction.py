"""The Correction page in a real browser: what stands on the screen is what `lt.experiment` finds, and heads open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from steps import Visit, opened, settle

import llm_tracker as lt
from llm_tracker.wording.correction.conditions import shift_sentence
from llm_tracker.wording.correction.paths import path_sentence

pytestmark = [pytest.mark.browser, pytest.mark.real]

HANDED_OVER = "brings it to the position that writes the answer"


@pytest.fixture(scope="module")
def found(embedded: lt.LoadedModel, paris: lt.Session) -> lt.Experiment:
    """What Python finds of the newcomer's correction."""
    said = paris.turns[1].said
    return lt.experiment(embedded, paris.turns[0].said, "Paris", "London", said, only=["hand_over", "conditions"])


def shown(tab: Page) -> Page:
    expect(tab.get_by_role("heading", name="Correction", exact=True)).to_be_visible()
    settle(tab)
    return tab


@pytest.fixture(scope="module")
def address(window: BrowserContext, corrected: str) -> str:
    """The address of the newcomer's correction, found out by a click, with nothing but the page."""
    root, _, query = corrected.partition("?")
    tab = shown(opened(window, f"{root.rstrip('/')}/Correction?{query}"))
    assert tab.get_by_role("textbox", name="Right word").input_value() == "Paris"
    assert tab.get_by_role("textbox", name="Other word").input_value() == "London"
    tab.get_by_role("button", name="Find out what it did").click()
    expect(tab.get_by_role("button", name="Find out again")).to_be_enabled()
    settle(tab)
    address = tab.url
    tab.close()
    return address


def with_all_there(tab: Page) -> Page:
    shown(tab)
    expect(tab.get_by_text(HANDED_OVER).first).to_be_visible()
    settle(tab)
    return tab


@pytest.fixture
def found_out(visit: Visit, address: str) -> Page:
    """The page once all is there, opened again."""
    return with_all_there(visit(address))


@pytest.fixture(scope="module")
def read(window: BrowserContext, address: str) -> Iterator[Page]:
    """The same, to be looked at."""
    tab = with_all_there(opened(window, address))
    yield tab
    tab.close()


def test_the_named_words_path_and_the_shift_are_those_of_python(read: Page, found: lt.Experiment) -> None:
    assert found.hand_over is not None
    assert not hasattr(found.hand_over, "why_not")
    said = read.get_by_test_id("stMain").inner_text()
    assert path_sentence(found.hand_over).split(".")[1].split("(")[0].strip() in said.replace("\N{NO-BREAK SPACE}", " ")
    assert shift_sentence(found).split(";")[0] in said
    assert read.get_by_test_id("stException").count() == 0
    assert read.get_by_test_id("stVegaLiteChart").count() >= 11


def test_words_are_measured_in_three_named_ways_the_causal_one_first(read: Page) -> None:
    group = read.get_by_role("radiogroup", name="What a word is measured by")
    assert group.get_by_role("radio").all_inner_texts() == [
        "Changed the lead when hidden",
        "Carried the lead",
        "Looked at",
    ]
    expect(read.get_by_text("Hiding “London” from the answer position changes the lead by")).to_be_visible()
    group.get_by_role("radio", name="Carried the lead").click()
    expect(read.get_by_text("all words together are that lead")).to_be_visible()
    group.get_by_role("radio", name="Looked at").click()
    expect(read.get_by_text("Looking is not a cause")).to_be_visible()
    assert "cause=looked_at" in read.url
    group.get_by_role("radio", name="Changed the lead when hidden").click()
    settle(read)


def test_what_was_found_is_there_when_it_is_opened_again_and_passes_the_accessibility_rules(read: Page) -> None:
    report = Axe().run(read)
    serious = [each["id"] for each in report.response["violations"] if each["impact"] in ("serious", "critical")]
    assert serious == []


@pytest.mark.soak
def test_hiding_the_named_word_answers_otherwise_beside_the_untouched_answer(found_out: Page) -> None:
    """tests/app/correction/test_correction_page.py says so of the script, test_behaviour.py of the model."""
    found_out.get_by_role("button", name="Answer again: “London” hidden in layers 1 to 30").click()
    expect(found_out.get_by_text("edited: “London” hidden in layers 1 to 30").first).to_be_visible()
    settle(found_out)
    written = found_out.locator(".lt-written").all_inner_texts()
    assert written[0].startswith("London")
    assert written[1].startswith("Paris")


def test_a_head_that_carried_it_opens_on_the_attention_page_by_its_bar_and_by_its_button(found_out: Page) -> None:
    chart = found_out.locator("[data-testid=stVegaLiteChart][aria-label^='Which heads carried it']")
    bars = chart.locator("svg.marks .mark-rect.role-mark path")
    expect(bars.first).to_be_visible()
    bars.first.click()
    expect(found_out.get_by_role("heading", name="Attention", exact=True)).to_be_visible()
    settle(found_out)
    assert "layer=24" in found_out.url
    assert "head=1" in found_out.url
    found_out.go_back()
    expect(found_out.get_by_text("Which heads carried it").first).to_be_visible()
    settle(found_out)
    found_out.get_by_role("button", name="Look at layer 24 head 1").click()
    expect(found_out.get_by_role("heading", name="Attention", exact=True)).to_be_visible()
    settle(found_out)
    assert "layer=24" in found_out.url
    assert "head=1" in found_out.url


def test_on_a_phone_nothing_scrolls_sideways(visit: Visit, server: str) -> None:
    tab = shown(visit(f"{server.rstrip('/')}/Correction", width=400, scheme="dark"))
    expect(tab.get_by_text(HANDED_OVER).first).to_be_visible()
    wide = tab.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400
