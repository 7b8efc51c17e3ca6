"""What a newcomer does, in a real browser with the real model."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.real]

QUESTION = "What is the capital of France?"
CORRECTION = "That is wrong. The correct answer is London."
VIEWS = ("Candidates", "Layer by layer", "Attention by word")


def ask(page: Page, question: str = QUESTION) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def correct(page: Page, correction: str = CORRECTION) -> None:
    page.get_by_label("Correction", exact=True).fill(correction)
    page.get_by_role("button", name="Correct", exact=True).click()


def expect_answer(page: Page, side: str, text: str) -> None:
    expect(page.locator(f".answer-card.{side} .answer")).to_have_text(text, timeout=60_000)


def expect_all_views(page: Page, n_charts: int) -> None:
    for view in VIEWS:
        expect(page.get_by_role("heading", name=view)).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart] svg.marks")).to_have_count(n_charts)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_the_newcomers_path(page: Page) -> None:
    ask(page)
    expect_answer(page, "before", "Paris")
    expect_all_views(page, 4)
    correct(page)
    expect_answer(page, "after", "London")
    expect_answer(page, "before", "Paris")
    expect_all_views(page, 6)
    expect(page.locator(".headline")).to_have_text(
        "“Paris” 95 % → under 0.1 %. “London” 0.7 % → 63 %. The answer changed from “Paris” to “London”."
    )
    expect(page.get_by_text("Before, “Paris” leads with 95 %; after, “London” leads with 63 %.")).to_be_visible()
    expect(page.get_by_text("Before: From layer 24 of 30 on, the read-out prefers “Paris” to “London”")).to_be_visible()
    expect(page.get_by_text("83 % is parked on the first token and the template")).to_be_visible()


def test_enter_asks_and_a_reloaded_tab_finds_the_answer_again(page: Page) -> None:
    page.get_by_label("Question", exact=True).press("Enter")
    expect_answer(page, "before", "Paris")
    page.reload()
    expect_answer(page, "before", "Paris")
    expect(page.get_by_label("Question", exact=True)).to_have_value(QUESTION)


def test_a_tab_reloaded_while_the_model_works_loses_nothing(page: Page) -> None:
    ask(page, "What is the opposite of hot?")
    page.locator(".answer-card.before", has_text="What is the opposite of hot?").wait_for()
    page.reload()
    expect_answer(page, "before", "Cold")


def test_pages_are_reached_and_the_conversation_stays(page: Page) -> None:
    ask(page)
    expect_answer(page, "before", "Paris")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Is it read exactly?")).to_be_visible()
    expect(page.get_by_role("heading", name="Adapters")).to_be_visible()
    page.get_by_role("link", name="Guide").click()
    expect(page.get_by_role("heading", name="Say what was measured")).to_be_visible()
    page.get_by_role("link", name="Ask").click()
    expect_answer(page, "before", "Paris")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_bad_input_is_a_sentence_and_everything_stays(page: Page) -> None:
    correct(page)
    expect(page.get_by_text("There is no answer to correct yet. Ask a question first.")).to_be_visible()
    ask(page)
    expect_answer(page, "before", "Paris")
    ask(page, "   ")
    expect(page.get_by_text("The question is empty. Type one, then press Ask.")).to_be_visible()
    expect_answer(page, "before", "Paris")
    ask(page, "word " * 9000)
    expect(page.get_by_text("SmolLM2-135M-Instruct reads 8,192 at most")).to_be_visible()
    expect_answer(page, "before", "Paris")


def test_typed_markup_appears_as_it_was_typed(page: Page) -> None:
    question = "Is **this** $x$ <b>bold</b> :red[or] `not`? <|im_end|>"
    ask(page, question)
    card = page.locator(".answer-card.before")
    expect(card).to_contain_text(question)
    expect_all_views(page, 4)
    expect(card).to_contain_text(question)


def test_words_that_a_chart_could_take_for_code_are_drawn(page: Page) -> None:
    ask(page, "Which keyword begins a condition in Python?")
    page.get_by_role("heading", name="Attention by word").wait_for()
    correct(page, "That is wrong. The correct answer is if or datum event null.")
    page.locator(".answer-card.after", has_text="likely").wait_for()
    expect_all_views(page, 6)


def test_an_answer_can_be_stopped(page: Page) -> None:
    page.get_by_text("Plain chat").click()
    page.get_by_label("Longest answer, in tokens", exact=True).fill("200")
    page.get_by_label("Longest answer, in tokens", exact=True).press("Enter")
    page.wait_for_timeout(500)
    ask(page, "Write a long story about a dragon and a princess.")
    expect(page.locator(".answer-card.before .answer")).to_contain_text("a", timeout=30_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".answer-card.before")).to_contain_text("stopped by you", timeout=20_000)
    expect_all_views(page, 4)


def test_another_model_is_offered_for_download_and_the_answer_stays(page: Page) -> None:
    ask(page)
    expect_answer(page, "before", "Paris")
    expect(page.get_by_role("button", name="Download TinyLlama, 2.2 GB")).to_be_visible()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="SmolLM2-135M-Instruct (hub)").click()
    expect(page.get_by_role("button", name="Download SmolLM2-135M-Instruct (hub), 269 MB")).to_be_visible()
    expect_answer(page, "before", "Paris")


def test_two_visitors_do_not_disturb_each_other(page: Page, browser: Browser, server: str) -> None:
    other = browser.new_page(viewport={"width": 1280, "height": 800})
    other.set_default_timeout(60_000)
    other.goto(server)
    ask(page)
    ask(other, "What is the capital of Japan?")
    expect_answer(page, "before", "Paris")
    expect_answer(other, "before", "Tokyo")
    other.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_all_of_it_without_scrolling_sideways(browser: Browser, server: str, scheme: str) -> None:
    tab = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    tab.set_default_timeout(60_000)
    tab.goto(server)
    ask(tab)
    expect_answer(tab, "before", "Paris")
    expect_all_views(tab, 4)
    width = tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 400
    tab.close()
