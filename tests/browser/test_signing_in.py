"""Signing in with `st.login`: a person finds their conversations from any browser, and nobody else does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from identity_provider import IdentityProvider
from installations import ROOT
from playwright.sync_api import Page, expect
from serving import free_port, started_app
from steps import QUESTION, Visit, ask_capital, expect_ready, settle

import llm_tracker as lt
from llm_tracker.settings import STORE

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "sessions.sqlite"


@pytest.fixture
def with_sign_in(tmp_path: Path, kept: Path, embedded: object) -> Iterator[str]:
    """The address of an app that has people sign in, and whose secrets say where conversations are kept."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with IdentityProvider("Ada", "Grace") as provider:
        secrets = tmp_path / ".streamlit" / "secrets.toml"
        secrets.parent.mkdir()
        secrets.write_text(f'{STORE} = "{kept}"\n{provider.secrets(url)}')
        variables = {name: value for name, value in os.environ.items() if name != STORE} | {"PYTHONPATH": str(ROOT)}
        process = started_app(variables, port, cwd=tmp_path)
        try:
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def sign_in(page: Page, name: str) -> None:
    expect_ready(page)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_text(f"Signed in as {name}.")).to_be_visible()
    expect_ready(page)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def on_history(page: Page) -> None:
    page.locator("[data-testid=stSidebar]").get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    settle(page)


def test_who_is_signed_in_finds_their_conversations_from_any_browser_and_nobody_else_does(
    visit: Visit, with_sign_in: str, kept: Path
) -> None:
    first, elsewhere = visit(with_sign_in), visit(with_sign_in, apart=True)
    sign_in(first, "Ada")
    ask_capital(first)
    sign_in(elsewhere, "Grace")
    on_history(elsewhere)
    expect(elsewhere.get_by_text(QUESTION)).to_have_count(0)
    sign_out(elsewhere)
    on_history(elsewhere)
    expect(elsewhere.get_by_text(QUESTION)).to_have_count(0)
    sign_in(elsewhere, "Ada")
    on_history(elsewhere)
    expect(elsewhere.get_by_text(QUESTION)).to_be_visible()
    (owner,) = [each for each in lt.open_store(kept).owners() if each.startswith("user ")]
    assert "Ada" not in owner
    assert [each.title for each in lt.open_store(kept).for_owner(owner).list()] == [QUESTION]
