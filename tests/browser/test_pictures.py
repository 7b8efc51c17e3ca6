"""Every page looks as it did when somebody looked at it: wide and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kept_pictures import MOST_DIFFERING, part_that_differs, require_as_kept, small
from playwright.sync_api import BrowserContext, Page, expect
from steps import Scheme, Visit, corrected_conversation, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]

HEIGHT = 1600
PAGES = (
    ("Ask", 1280, "light"),
    ("Ask", 400, "dark"),
    ("Tokens", 1280, "dark"),
    ("Layers", 1280, "light"),
    ("Layers", 400, "light"),
    ("Attention", 1280, "dark"),
    ("Correction", 1280, "light"),
    ("Compare", 400, "dark"),
    ("Study", 1280, "light"),
    ("Teach", 1280, "light"),
    ("Teach", 400, "dark"),
    ("Guide", 1280, "dark"),
)


@pytest.fixture(scope="module")
def own(window: BrowserContext, server: str) -> Iterator[str]:
    """The address of a conversation that nobody else has done anything with."""
    tab = corrected_conversation(window, server)
    yield tab.url
    tab.close()


def page_of(visit: Visit, address: str, name: str, width: int, scheme: Scheme) -> Page:
    """A page on the newcomer's conversation, drawn to its end."""
    root, _, query = address.partition("?")
    tab = visit(f"{root.rstrip('/')}/{'' if name == 'Ask' else name}?{query}", width=width, scheme=scheme)
    tab.set_viewport_size({"width": width, "height": HEIGHT})
    if name != "Ask":
        expect(tab.get_by_role("heading", name=name, exact=True)).to_be_visible()
    settle(tab)
    return tab


@pytest.mark.parametrize(("name", "width", "scheme"), PAGES)
def test_a_page_looks_as_it_did(visit: Visit, own: str, name: str, width: int, scheme: Scheme, tmp_path: Path) -> None:
    tab = page_of(visit, own, name, width, scheme)
    require_as_kept(tab.screenshot(animations="disabled"), f"{name.lower()}-{width}-{scheme}", tmp_path)


def test_what_is_not_there_any_more_would_be_seen(visit: Visit, own: str) -> None:
    tab = page_of(visit, own, "Ask", 1280, "light")
    before = small(tab.screenshot(animations="disabled"))
    tab.locator("[data-testid=stVegaLiteChart]").first.evaluate("each => each.style.visibility = 'hidden'")
    assert part_that_differs(small(tab.screenshot(animations="disabled")), before) > MOST_DIFFERING
