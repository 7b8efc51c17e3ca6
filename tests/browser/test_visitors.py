"""Two tabs, two models, two visitors at once: nobody disturbs anybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from steps import Visit, ask, ask_capital, correct, expect_answer, expect_control, expect_ready

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.mark.soak
def test_two_visitors_who_ask_at_once_get_their_own_answers(page: Page, visit: Visit, server: str) -> None:
    other = visit(server, apart=True)
    ask(page)
    ask(other, "What is the capital of Japan?")
    for tab, answer, country in ((page, "Paris", "France"), (other, "Tokyo", "Japan")):
        expect(tab.get_by_text("Answered by")).to_be_visible()  # the example shows Paris and London too
        expect_answer(tab, "before", answer, country)
    correct(page, "That is wrong. The correct answer is London.")
    correct(other, "That is wrong. The correct answer is Seoul.")
    expect_answer(page, "after", "London")
    expect_answer(other, "after", "Seoul")
    expect_control(page)
    expect_control(other)


@pytest.mark.soak
def test_two_tabs_of_one_visitor_show_the_same_conversation(page: Page, visit: Visit) -> None:
    """test_address.py opens what is shown elsewhere, and test_newcomer.py reloads a tab."""
    ask_capital(page)
    second = visit(page.url, apart=True)
    expect_answer(second, "before", "Paris", "France")
    correct(second)
    expect_answer(second, "after", "London")
    page.reload()
    expect_answer(page, "after", "London")


@pytest.mark.soak
def test_two_visitors_on_two_models_at_once(visit: Visit, online: str) -> None:
    """Two at once are above, a model that is downloaded in test_download.py, two models in test_two_models.py."""
    first, second = visit(online), visit(online, apart=True)
    expect_ready(first)
    second.get_by_role("button", name="Download TinyLlama, 2.2 GB").click()
    expect(second.get_by_text("3 layers · 4 heads")).to_be_visible()
    ask(first, "What is the capital of France?")
    ask(second, "What is the capital of Japan?")
    expect_answer(first, "before", "Paris", "France")
    expect(second.get_by_text("Answered by TinyLlama-1.1B-Chat-v1.0")).to_be_visible()
    expect(first.get_by_text("Answered by SmolLM2-135M-Instruct")).to_be_visible()
    expect(second.locator(".lt-card.before .head")).to_contain_text("Japan")
    correct(first)
    correct(second)
    expect_answer(first, "after", "London")
    expect_control(first)
    expect_control(second)
    expect(first.get_by_text("30 layers")).to_be_visible()
    expect(second.get_by_role("slider", name="Layer")).to_have_value("3")
    for tab in (first, second):
        expect(tab.locator("[data-testid=stException]")).to_have_count(0)
