"""What a newcomer does, in a real browser with the real model."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from repeated import one_of_each
from steps import (
    QUESTION,
    Scheme,
    Visit,
    ask,
    ask_capital,
    chip,
    choose,
    correct,
    expect_all_views,
    expect_answer,
    expect_control,
    settle,
)

pytestmark = [pytest.mark.browser, pytest.mark.real]


def test_before_anything_is_loaded_a_finished_example_shows_the_whole_page(visit: Visit, server: str) -> None:
    tab = visit(server)
    expect(tab.get_by_text("A finished example, made with SmolLM2-135M-Instruct.")).to_be_visible()
    expect_answer(tab, "before", "Paris")
    expect_answer(tab, "after", "London")
    expect_all_views(tab)
    box = tab.locator(".headline").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800, "question, both answers and the headline stand above the fold"


def test_the_newcomers_path(page: Page) -> None:
    ask(page)
    expect(page.get_by_text("Answered by SmolLM2-135M-Instruct, one-word answers.")).to_be_visible()
    expect_answer(page, "before", "Paris")
    expect(page.locator(".headline")).to_have_count(0)
    expect_all_views(page)
    correct(page)
    expect_answer(page, "after", "London")
    expect_answer(page, "before", "Paris")
    expect_control(page)
    expect(page.locator(".headline")).to_have_text(
        "“Paris” 95 % → under 0.1 % (asked again: 65 %). “London” 0.7 % → 65 % (asked again: 0.2 %). "
        "The answer changed from “Paris” to “London”. Merely asked again, it stays “Paris”."
    )
    expect(
        page.get_by_text("Of the 95 points that “Paris” lost, 30 come with merely being asked again")
    ).to_be_visible()
    expect_all_views(page)
    expect(
        page.get_by_text("after, “London” leads with 63 %; merely asked again, “Paris” leads with 67 %.")
    ).to_be_visible()
    expect(page.get_by_text("Before, the read-out prefers “Paris” to “London” from layer 24 of 30 on")).to_be_visible()
    expect(page.get_by_text("Before, 83 % is parked and, of the conversation's own words, “France”")).to_be_visible()


def test_ready_questions_and_corrections_take_one_click_each(page: Page) -> None:
    chip(page, "one it gets wrong")
    expect_answer(page, "before", "New York", "What is the capital of Australia?")
    chip(page, "it is Canberra")
    expect_answer(page, "after", "Canberra", "The correct answer is Canberra.")
    expect(page.get_by_label("Question", exact=True)).to_have_value("What is the capital of Australia?")


@pytest.mark.soak
def test_another_correction_of_the_same_answer_stays_to_compare_with(page: Page) -> None:
    """tests/app/selection/test_comparison.py says so of the page as a script."""
    ask_capital(page)
    chip(page, "it is London")
    expect_answer(page, "after", "London")
    chip(page, "right")
    expect_answer(page, "after", "Paris", "That is right.")
    expect_control(page)
    choose(page, "Compared, before", "“London” to “That is wrong. The correct answer is London.”")
    expect_answer(page, "before", "London")
    expect(page.locator(".headline")).to_contain_text("The answer changed from “London” to “Paris”.")


@pytest.mark.soak
def test_a_correction_can_go_on_from_the_last_answer(page: Page) -> None:
    """tests/app/selection/test_comparison.py says so of the script, and the history's test does it in the browser."""
    ask_capital(page)
    correct(page)
    expect_answer(page, "after", "London")
    page.get_by_role("radio", name="Correct “After”").click()
    chip(page, "are you sure?")
    expect(page.locator(".lt-card.after .head")).to_contain_text("Are you sure?")
    expect_answer(page, "before", "London")


def test_enter_asks_and_a_tab_that_is_reloaded_meanwhile_and_again_finds_the_answer(page: Page) -> None:
    page.get_by_label("Question", exact=True).fill("What is the opposite of hot?")
    page.get_by_label("Question", exact=True).press("Enter")
    page.locator(".lt-card.before", has_text="What is the opposite of hot?").wait_for()
    page.reload()  # while the model works
    expect_answer(page, "before", "Cold")
    page.reload()
    expect_answer(page, "before", "Cold")
    expect(page.get_by_label("Question", exact=True)).to_have_value("What is the opposite of hot?")


def test_a_slider_moved_or_pages_changed_while_the_model_works_lose_nothing(page: Page) -> None:
    ask(page, "What is the opposite of hot?")
    page.locator(".lt-card.before", has_text="What is the opposite of hot?").wait_for()
    page.get_by_role("slider", name="Layer").press("ArrowLeft")
    page.get_by_role("link", name="Guide").click()
    expect(page.get_by_role("heading", name="Say what was measured")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Is it read exactly?")).to_be_visible()
    expect(page.get_by_role("heading", name="Adapters")).to_be_visible()
    page.get_by_role("link", name="Ask").click()
    expect_answer(page, "before", "Cold")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_the_correction_and_its_control_go_on_while_nobody_looks(page: Page) -> None:
    ask_capital(page)
    correct(page)
    page.locator(".lt-card.after .head", has_text="That is wrong.").wait_for()  # nobody presses two within 5 ms
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Adapters")).to_be_visible()
    page.wait_for_timeout(4000)  # to be away is what is tested, and no other page tells when the control has ended
    page.get_by_role("link", name="Ask").click()
    expect_answer(page, "after", "London")
    expect_control(page)


@pytest.mark.soak
def test_bad_input_is_a_sentence_and_everything_stays(page: Page) -> None:
    """tests/app/ask/test_ask_page.py says so of the page as a script."""
    ask(page)
    expect_answer(page, "before", "Paris")
    ask(page, "   ")
    expect(page.get_by_text("The question is empty. Type one, then press Ask.")).to_be_visible()
    expect_answer(page, "before", "Paris")
    ask(page, "word " * 9000)
    expect(page.get_by_text("SmolLM2-135M-Instruct reads 8,192 at most")).to_be_visible()
    expect_answer(page, "before", "Paris")
    expect_all_views(page)


def test_a_long_text_begins_to_be_seen_at_its_end(page: Page) -> None:
    ask(page, "We read of towns. " * 100 + "What is the capital of France?")
    text = page.locator(".lt-words.before")
    expect(text).to_contain_text("We read of towns.")
    settle(page)
    seen = text.evaluate(
        "text => [text, text.querySelector('.word:last-of-type')].map(each => each.getBoundingClientRect().bottom)"
    )
    assert text.evaluate("text => text.scrollHeight > text.clientHeight + 100")
    assert seen[1] <= seen[0] + 1


def test_an_answer_can_be_stopped_where_it_was_asked_for(page: Page) -> None:
    page.get_by_text("Plain chat").click()
    page.get_by_label("Longest answer, in tokens", exact=True).fill("200")
    page.get_by_label("Longest answer, in tokens", exact=True).press("Enter")
    settle(page)
    ask(page, "Write a long story about a dragon and a princess.")
    expect(page.locator(".lt-card.before .note")).to_contain_text("Writing")  # a token is there
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".lt-card.before")).to_contain_text("stopped by you")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_enabled()
    expect_all_views(page)


@pytest.mark.soak
def test_the_control_can_be_left_out(page: Page) -> None:
    """tests/app/ask/test_ask_page.py says so of the page as a script."""
    ask_capital(page)
    page.get_by_text("Also ask again without a correction").click()
    settle(page)
    correct(page)
    expect_answer(page, "after", "London")
    expect(page.get_by_text("Without a control: part of any change comes from being asked again")).to_be_visible()
    expect(page.locator(".headline")).not_to_contain_text("asked again:")


def test_the_token_strip_chooses_what_the_views_describe_by_click_and_by_key(visit: Visit, asked: str) -> None:
    page = visit(asked)
    strip = page.get_by_role("radiogroup", name="Token to look at, before")
    expect(strip.get_by_role("radio")).to_have_count(2)
    strip.get_by_role("radio").nth(1).click()
    expect(page.locator(".lt-card.before .note")).to_contain_text("Token 2 of 2")
    expect(page.get_by_text("The likeliest next token is “<|im_end|>”")).to_be_visible()
    strip.get_by_role("radio").nth(1).press("ArrowLeft")
    expect(page.locator(".lt-card.before .note")).to_contain_text("Token 1 of 2")
    expect(strip.get_by_role("radio").nth(0)).to_be_focused()


def test_what_the_model_read_is_one_click_away(visit: Visit, asked: str) -> None:
    page = visit(asked)
    page.get_by_text("What the model read", exact=True).click()
    text = page.locator("pre.lt-read")
    expect(text).to_contain_text("<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant")
    expect(text.locator(".user")).to_have_text([QUESTION])
    expect(text.get_by_text("worked examples, 203 tokens")).to_be_visible()
    expect(page.get_by_text("Token by token")).to_be_visible()


def test_layer_and_head_can_be_chosen(visit: Visit, asked: str) -> None:
    page = visit(asked)
    sentence = page.get_by_text("is parked and, of the conversation's own words")
    settle(page)
    first = sentence.text_content()
    choose(page, "Head", "head 3")
    expect(sentence).not_to_have_text(str(first))
    second = sentence.text_content()
    page.get_by_role("slider", name="Layer").press("ArrowLeft")
    expect(sentence).not_to_have_text(str(second))


def test_another_model_is_offered_for_download_and_the_answer_stays(page: Page) -> None:
    ask(page)
    expect_answer(page, "before", "Paris")
    expect(page.get_by_role("button", name="Download TinyLlama, 2.2 GB")).to_be_visible()
    choose(page, "Model", "SmolLM2-135M-Instruct (hub)")
    expect(page.get_by_role("button", name="Download SmolLM2-135M-Instruct (hub), 269 MB")).to_be_visible()
    expect_answer(page, "before", "Paris")


@pytest.mark.parametrize("scheme", one_of_each(["light", "dark"], ["dark"]))  # a width is the same in both
def test_a_narrow_screen_shows_all_of_it_without_scrolling_sideways(
    visit: Visit, corrected: str, scheme: Scheme
) -> None:
    tab = visit(corrected, width=400, scheme=scheme)
    expect_answer(tab, "after", "London")
    expect_control(tab)
    expect_all_views(tab)
    wide = tab.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')]
            .filter(each => each.getBoundingClientRect().right > 401 && getComputedStyle(each).opacity !== "0")
            .filter(each => !each.closest(".lt-scroll, .strip, [data-testid=stDataFrame], [data-testid=stSlider]"))
            .map(each => each.className || each.tagName)"""
    )
    assert wide == []
    assert tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400
