"""The language is changed in the middle, and every choice stays: the browser tells an option by its label alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from steps import Visit, choose, expect_ready, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]


def no_error(page: Page) -> None:
    settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_question_is_asked_in_the_form_that_was_chosen_before_the_language_was(visit: Visit, server: str) -> None:
    page = visit(server)
    expect_ready(page)
    page.get_by_text("Plain chat").click()
    settle(page)
    choose(page, "Language", "Deutsch")
    page.get_by_role("button", name="Hauptstadt", exact=True).click()
    expect(page.get_by_text("Beantwortet von")).to_be_visible()
    no_error(page)
    expect(page.get_by_role("radio", name="Einfacher Chat")).to_be_checked()
    expect(page.locator(".lt-card.before .note")).to_contain_text("wahrscheinlich")
    page.reload()
    expect(page.get_by_role("radio", name="Einfacher Chat")).to_be_checked()
    no_error(page)


@pytest.mark.parametrize(
    "name", ["Study", "Correction", *(pytest.param(each, marks=pytest.mark.soak) for each in ("Attention", "Compare"))]
)
def test_every_page_goes_on_in_another_language(visit: Visit, server: str, name: str) -> None:
    page = visit(f"{server}/{name}")
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect_ready(page)  # until then the sidebar is drawn again and again, and a list that is open closes
    choose(page, "Language", "Deutsch")
    expect(page.get_by_role("combobox", name="Sprache")).to_be_visible()
    no_error(page)
    address = page.url
    buttons = page.get_by_test_id("stMain").get_by_role("button").filter(has_text="e", visible=True)
    buttons.last.click()
    no_error(page)
    assert page.url == address, "no label stands in the address as if it had been chosen"
