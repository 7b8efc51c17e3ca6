"""A model that reasons first, in the browser: its thought streams below the card, folded, and can be skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Page, expect
from serving import served_app
from steps import Visit, ask, correct, expect_ready, settle
from thinking import thinking_model

LABEL = "Its thought, before the answer"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a tiny model whose template opens a thought; random weights seldom end one."""
    folder = tmp_path_factory.mktemp("thinker")
    # So many layers that a thousand tokens take long enough to press a button.
    model = thinking_model("opened_switched", "llama", num_hidden_layers=40)
    ends = [model.tokenizer.convert_tokens_to_ids(token) for token in ("</think>", "<|end|>")]
    with torch.no_grad():
        model.model.lm_head.weight[ends] = 0  # no token that ends a thought is ever the likeliest
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    with served_app({**os.environ, "LLM_TRACKER_MODEL": str(folder)}) as address:
        yield address


def open_fold(page: Page, nth: int = 0) -> None:
    page.get_by_text(LABEL).nth(nth).click()


def test_a_thought_streams_into_its_fold_is_skipped_and_stays_beside_the_next_one(thinker: str, visit: Visit) -> None:
    page = visit(thinker)
    expect_ready(page)
    page.get_by_text("Let it think before it answers").click()
    limit = page.get_by_role("spinbutton", name="Longest thought, in tokens")
    limit.fill("1000")
    limit.press("Enter")
    settle(page)
    ask(page, "Which planet is the largest?")
    skip = page.get_by_role("button", name="Skip the rest of the thought")
    skip.wait_for()
    expect(page.locator(".lt-card.before .note")).to_contain_text("of at most 1,000 tokens")
    expect(page.locator(".lt-thought")).not_to_be_visible()
    open_fold(page)
    expect(page.locator(".lt-thought")).to_be_visible()
    before = page.locator(".lt-thought").text_content()
    expect(page.locator(".lt-thought")).not_to_have_text(before or "")
    skip.click()
    expect(page.get_by_text("Answered by")).to_be_visible()
    settle(page)
    limit.fill("5")
    limit.press("Enter")
    settle(page)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".lt-card.before .note")).to_contain_text("likely")
    settle(page)
    correct(page, "That is wrong.")
    expect(page.locator(".lt-card.after .note")).to_contain_text("likely")
    settle(page)
    assert page.get_by_text(LABEL).count() == 2
    assert page.get_by_text("leaves out what the model thought before its earlier answers").is_visible()
    open_fold(page, 1)
    strip = page.get_by_role("radiogroup", name="Token of its thought to look at, after")
    strip.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lt-card.after .note")).to_contain_text("Token 2 of")
    expect(page.locator(".lt-card.after .note")).to_contain_text("in its thought")
