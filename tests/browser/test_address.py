"""An address opens what is looked at, in another browser too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from steps import Visit, ask_capital, choose, correct, expect_answer, expect_control, follow, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]


def look_around(page: Page) -> None:
    """Another token, layer, head and word than the views open with."""
    follow(page, "Rome")
    expect_followed(page)
    page.get_by_role("radiogroup", name="Token to look at, after").get_by_role("radio").nth(1).click()
    expect(page.locator(".lt-card.after .note")).to_contain_text("Token 2 of")
    expect(page.locator("caption", has_text="After: its own token “<|im_end|>”")).to_have_count(1)
    settle(page)
    choose(page, "Head", "head 3")
    settle(page)
    layer = page.get_by_role("slider", name="Layer")
    layer.press("ArrowLeft")
    expect(page).to_have_url(re.compile("layer=29"))
    settle(page)


def expect_followed(page: Page) -> None:
    """A word that nobody said stands in the headline, in the charts and in what is said of them."""
    expect(page.locator(".headline")).to_contain_text("(asked again:")
    expect(page.get_by_role("combobox", name="Lead of", exact=True)).to_have_value("Rome")
    expect(page.get_by_text("Before, the read-out prefers “London” to “Rome”")).to_be_visible()
    texts = page.locator("[data-testid=stVegaLiteChart]").first.locator("svg text")
    assert any(text.endswith(". Rome") for text in texts.all_text_contents())


def shown(page: Page) -> list[str]:
    """What the cards, the strips and the sentences of the views say."""
    chosen = page.get_by_role("radio", checked=True)
    texts = [page.locator(".lt-card"), page.locator(".headline"), page.locator("p.lt-text"), chosen]
    return [text for each in texts for text in each.all_text_contents()]


@pytest.mark.soak
def test_a_word_is_followed_and_an_address_opened_elsewhere_shows_the_same(page: Page, visit: Visit) -> None:
    ask_capital(page)
    correct(page)
    expect_answer(page, "after", "London")
    expect_control(page)
    look_around(page)
    for said in ("turns=1.0-1.1", "step=-1", "layer=29", "head=3", "word=Paris&word=London&word=Rome"):
        assert said in page.url
    other = visit(page.url, apart=True)
    expect(other.locator(".lt-card.after .note")).to_contain_text("Token 2 of")
    expect(other.get_by_role("slider", name="Layer")).to_have_value("29")
    expect(other.get_by_role("combobox", name="Head", exact=True)).to_have_value("head 3")
    expect(other.locator(".headline")).to_contain_text("“Rome”")
    expect(other.get_by_text("✓ read exactly")).to_be_visible()
    settle(other)
    assert shown(other) == shown(page)
    assert other.url == page.url
