"""Nothing is lost: the app is killed and started again, and the History page has it all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect
from serving import OwnApp
from steps import (
    Visit,
    ask,
    ask_capital,
    correct,
    expect_all_views,
    expect_answer,
    expect_control,
    expect_ready,
    on_page,
    settle,
)

import llm_tracker as lt
from llm_tracker.storage.unpacking import unpack

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, embedded: object) -> Iterator[OwnApp]:
    app = OwnApp(tmp_path_factory.mktemp("history") / "sessions.sqlite")
    app.start()
    yield app
    app.kill()


def tick(page: Page, title: str) -> None:
    page.locator("label", has_text=title).first.click()
    settle(page)


def test_a_conversation_is_found_exported_deleted_imported_and_opened_again(
    app: OwnApp, visit: Visit, tmp_path: Path
) -> None:
    page = visit(app.url)
    expect_ready(page)
    ask_capital(page)
    correct(page)
    expect_answer(page, "after", "London")
    expect_control(page)
    on_page(page, "History")
    tick(page, "What is the capital of France?")
    page.get_by_role("button", name="Name, tags, note").click()
    page.get_by_label("Name", exact=True).fill("For <b>class</b> 9")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("label", has_text="For <b>class</b> 9")).to_be_visible()
    settle(page)
    page.keyboard.press("Escape")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Export (zip)").click()
    archive = saved(coming.value, tmp_path / "conversations.zip")
    (read,) = unpack(archive)
    assert read.session is not None
    assert [turn.answer for turn in read.session.turns] == ["Paris", "London"]
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("1 conversation deleted.")).to_be_visible()
    expect(page.locator("label", has_text="For <b>class</b> 9")).to_have_count(0)
    page.get_by_text("Import conversations").click()
    page.locator("input[type=file]").set_input_files(archive)
    expect(page.get_by_text("1 conversation imported.")).to_be_visible()
    page.get_by_label("Search").fill("LONDON class")
    page.get_by_label("Search").press("Enter")
    settle(page)
    expect(page.get_by_text("1 of 1 found")).to_be_visible()
    page.locator("[class*='st-key-open-'] button").first.click()
    expect_answer(page, "before", "Paris", "France")
    expect_answer(page, "after", "London")
    expect_control(page)
    page.get_by_text("Correct “After”").click()
    settle(page)
    correct(page, "Are you sure?")
    expect_answer(page, "before", "London", "London")
    expect(page.locator(".lt-card.after .head")).to_contain_text("Are you sure?")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def saved(download: Download, file: Path) -> Path:
    download.save_as(file)
    return file


@pytest.mark.soak
def test_a_link_shares_one_conversation_to_be_read(app: OwnApp, visit: Visit) -> None:
    """tests/app/test_public_host.py says so of the page as a script."""
    page = visit(app.url)
    expect_ready(page)
    ask_capital(page)
    on_page(page, "History")
    tick(page, "What is the capital of France?")
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("code", has_text="?share=").inner_text()
    assert link.startswith(f"{app.url}/?share=")
    reader = visit(link, apart=True)
    expect_answer(reader, "before", "Paris", "France")
    expect(reader.get_by_text("Shared with you, to read")).to_be_visible()
    page.get_by_role("button", name="Revoke it").click()
    settle(page)
    reader.reload()
    expect(reader.get_by_text("This link opens nothing here")).to_be_visible()


@pytest.mark.soak
def test_a_killed_app_comes_back_with_everything_and_offers_what_it_was_answering(app: OwnApp, visit: Visit) -> None:
    page = visit(app.url)
    expect_ready(page)
    ask_capital(page)
    correct(page)
    expect_answer(page, "after", "London")
    expect_control(page)
    settle(page)
    kept = [each.title for each in lt.open_store(app.store).list()]
    assert kept[0] == "What is the capital of France?"
    page.get_by_text("Plain chat").click()
    page.get_by_label("Longest answer, in tokens", exact=True).fill("256")
    page.get_by_label("Longest answer, in tokens", exact=True).press("Enter")
    settle(page)
    ask(page, "Tell me a long story.")
    expect(page.get_by_text("Writing")).to_be_visible()
    app.kill()
    assert [each.title for each in lt.open_store(app.store).list()] == kept
    app.start()
    page.goto(page.url)
    expect(page.get_by_text("The app stopped while it answered this question: “Tell me a long story.”")).to_be_visible()
    expect_answer(page, "before", "Paris", "France")
    expect_answer(page, "after", "London")
    expect_control(page)
    expect_all_views(page)
    page.get_by_role("button", name="Ask it again").click()
    expect(page.locator(".lt-card.before .head")).to_contain_text("Tell me a long story.")
    expect(page.get_by_text("The app stopped while")).to_have_count(0)
    page.get_by_role("button", name="Stop", exact=True).click()
    on_page(page, "History")
    expect(page.locator("label", has_text="What is the capital of France?").first).to_be_visible()
