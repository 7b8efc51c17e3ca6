"""Any text is only text: forty nasty ones appear exactly as they are, wherever the page shows them."""

from __future__ import annotations

import re

import pytest
from nasty import NASTY
from playwright.sync_api import Page, expect
from steps import ask, ask_capital, correct, expect_all_views, follow, settle

from llm_tracker.wording.formats import shown, visible

pytestmark = [pytest.mark.browser, pytest.mark.real]


def short_answers(page: Page) -> None:
    """One token an answer and no control: these tests are about what was typed."""
    page.get_by_text("Raw text", exact=True).click()
    page.get_by_text("Also ask again without a correction").click()
    page.get_by_label("Longest answer, in tokens", exact=True).fill("1")
    page.get_by_label("Longest answer, in tokens", exact=True).press("Enter")
    settle(page)


def seen(text: str) -> str:
    """A typed text as the page shows it: a field of one line has no tab, and what can't be seen has its number."""
    return visible(text)


def expect_text(page: Page, selector: str, text: str) -> None:
    """The element's text is exactly this, with nothing taken for markup (textContent, spaces and all)."""
    element = page.locator(selector)
    expect(element).to_contain_text(text.split()[0])
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)", arg=[selector, text]
    )


def test_forty_nasty_texts_appear_as_they_were_typed(page: Page) -> None:
    """Four in each question: the ten that are markup at the beginning of a line stand there."""
    assert len(set(NASTY)) == 40
    short_answers(page)
    page.get_by_text("What the model read", exact=True).click()
    for text in (" ".join(NASTY[first::10]) for first in range(10)):
        ask(page, text)
        expect_text(page, ".lt-card.before .head", seen(text))
        expect(page.locator(".lt-card.before .note")).to_contain_text("likely")
        expect_text(page, "pre.lt-read", seen(text))
        page.wait_for_function(
            "text => document.querySelector('.lt-words.before').textContent.endsWith(text)", arg=seen(text)
        )
        assert page.get_by_label("Question", exact=True).input_value() == text
        label = page.get_by_role("combobox", name="Compared, before", exact=True)
        assert shown(text)[:20] in label.input_value()
    assert "LLM Inference Tracker" in page.title()
    expect_all_views(page)
    assert page.locator("[data-testid=stMain] .lt-card b, [data-testid=stMain] .lt-card img").count() == 0


@pytest.mark.soak
def test_nasty_corrections_and_followed_words_appear_as_they_were_typed(page: Page) -> None:
    ask_capital(page)
    text = " ".join(NASTY[at] for at in (12, 16, 24, 36))
    correct(page, text)
    expect_text(page, ".lt-card.after .head", seen(text))
    expect(page.locator(".lt-card.after .note")).to_contain_text("likely")
    for word in (":red[x]", "<b>y</b>$z$"):
        follow(page, word)
    settle(page)
    expect_all_views(page)
    assert "LLM Inference Tracker" in page.title()


def test_nasty_tokens_appear_as_they_are_in_strips_charts_tooltips_and_tables(page: Page) -> None:
    page.get_by_text("Raw text", exact=True).click()
    settle(page)
    ask(page, "**b** <b>x</b> $y$ :red[z] **b** <b>x</b> $y$ :red[z] **b** <b>x</b> $y$ :red[z]")
    strip = page.get_by_role("radiogroup", name="Token to look at, before")
    expect(strip.get_by_role("radio")).to_have_count(16)
    settle(page)
    texts = [each.locator("span").first.text_content() for each in strip.get_by_role("radio").all()]
    marks = [at for at, text in enumerate(texts) if text and re.search(r"[*<>$:\[\]]", text)]
    assert len(marks) >= 5, texts
    for at in marks[:4]:
        token = str(texts[at])
        strip.get_by_role("radio").nth(at).click()
        expect(page.locator(".lt-card.before .note")).to_contain_text(f"Token {at + 1} of 16")
        settle(page)
        chart = page.locator("[data-testid=stVegaLiteChart]").first
        assert f"1. {token}" in chart.locator("svg text").all_text_contents()
        chart.locator("path[stroke='#3a7cc7'], line[stroke='#3a7cc7']").first.hover(force=True)
        tooltip = page.locator("#vg-tooltip-element")
        expect(tooltip).to_be_visible()
        assert f"1. {token}" in [cell.strip() for cell in tooltip.locator("td").all_text_contents()]
        page.mouse.move(5, 5)
    expect_all_views(page)
