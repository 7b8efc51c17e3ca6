"""A student explores an answer, exports a picture of it, and on the next day goes on where they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from serving import OwnApp
from steps import Visit, ask_capital, correct, expect_answer, expect_control, expect_ready, on_page, settle

import llm_tracker as lt
from llm_tracker.wording.formats import shown

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.fixture
def app(tmp_path: Path, embedded: object) -> Iterator[OwnApp]:
    """An app that keeps what is asked, and is ended every night."""
    app = OwnApp(tmp_path / "sessions.sqlite")
    app.start()
    yield app
    app.kill()


def exported(page: Page, folder: Path) -> Path:
    """The picture of the page's first chart."""
    page.get_by_role("button", name="Export").first.click()
    with page.expect_download() as coming:
        page.get_by_role("button", name="PNG", exact=True).click()
    coming.value.save_as(folder / coming.value.suggested_filename)
    page.keyboard.press("Escape")
    return folder / coming.value.suggested_filename


def found(page: Page, query: str) -> Locator:
    """What opens each conversation that the history finds, the newest first."""
    on_page(page, "History")
    page.get_by_label("Search").fill(query)
    page.get_by_label("Search").press("Enter")
    settle(page)
    return page.locator("[class*='st-key-open-'] button:visible")


def test_what_a_student_explored_is_there_on_the_next_day(
    app: OwnApp, visit: Visit, paris: lt.Session, tmp_path: Path
) -> None:
    page = visit(app.url)
    expect_ready(page)
    ask_capital(page)
    correct(page)
    expect_answer(page, "after", "London")
    expect_control(page)
    headline = page.locator(".headline").inner_text()
    on_page(page, "Layers")
    said = page.get_by_test_id("stMain").get_by_role("paragraph").all_inner_texts()
    with Image.open(exported(page, tmp_path)) as picture:
        assert picture.width == 2 * 760
        assert len(picture.convert("RGB").getcolors(maxcolors=2**24) or []) > 50, "a picture of something"
    on_page(page, "Tokens")
    token = shown(paris.turns[1].trace.top_tokens[0][1])
    page.get_by_role("button", name=f"What if it had said {token} here?").last.click()
    expect(page.get_by_role("button", name="Compare with the original")).to_be_visible()
    settle(page)
    written = page.locator(".lt-written").inner_text().removesuffix("<|im_end|>")
    page.close()
    app.kill()

    app.start()
    page = visit(app.url, apart=True)
    found(page, "london").last.click()
    expect_answer(page, "before", "Paris", "France")
    expect_answer(page, "after", "London")
    assert page.locator(".headline").inner_text() == headline
    on_page(page, "Layers")
    assert page.get_by_test_id("stMain").get_by_role("paragraph").all_inner_texts() == said
    found(page, "london").first.click()
    expect(page.locator(".lt-card.after .answer")).to_have_text(written)
    expect(page.get_by_test_id("stException")).to_have_count(0)
