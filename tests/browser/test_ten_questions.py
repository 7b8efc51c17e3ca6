"""A morning's work: ten questions, the app killed, started again, and everything is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from serving import free_port, started_app
from steps import Visit, ask, correct, expect_answer, expect_control, expect_ready, settle

import llm_tracker as lt

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.soak]

COUNTRIES = "France Japan Italy Peru Kenya Portugal Cuba China Egypt Norway".split()


def shown(page: Page) -> list[str]:
    """The answers, how likely they are, and what stands above the charts."""
    return [*page.locator(".lt-card .answer").all_inner_texts(), page.locator(".headline").inner_text()]


def test_ten_questions_are_there_after_the_app_was_killed(visit: Visit, embedded: object, tmp_path: Path) -> None:
    port, kept = free_port(), tmp_path / "sessions.sqlite"
    environment, url = {**os.environ, "LLM_TRACKER_STORE": str(kept)}, f"http://127.0.0.1:{port}"
    process = started_app(environment, port)
    try:
        page = visit(url)
        expect_ready(page)
        seen: dict[str, list[str]] = {}
        for country in COUNTRIES:
            ask(page, f"What is the capital of {country}?")
            expect(page.locator(".lt-card.before .head")).to_contain_text(country)
            expect(page.locator(".lt-card.before .note")).to_contain_text("likely")
            settle(page)
            correct(page)
            expect(page.locator(".lt-card.after .head")).to_contain_text("London")
            expect(page.locator(".lt-card.after .note")).to_contain_text("likely")
            expect_control(page)
            settle(page)
            seen[country] = shown(page)
        process.kill()
        process.wait()
        process = started_app(environment, port)
        page.goto(page.url)
        expect_ready(page)
        assert len(lt.open_store(kept).list()) == len(COUNTRIES)
        for country in COUNTRIES:
            page.locator("[data-testid=stSidebar]").get_by_role("link", name="History").click()
            expect(page.get_by_text("10 conversations, ")).to_be_visible()
            settle(page)
            row = page.locator("[data-testid=stHorizontalBlock]", has_text=f"What is the capital of {country}?").last
            row.get_by_role("button", name="Open", exact=True).click()
            expect_answer(page, "before", seen[country][0], country)
            expect_control(page)
            settle(page)
            assert shown(page) == seen[country]
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
    finally:
        process.kill()
        process.wait()
