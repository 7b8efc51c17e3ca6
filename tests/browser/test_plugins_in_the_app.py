"""Plug-ins as a visitor meets them: a package brings a model, and broken files are named with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from broken_plugins import BROKEN
from installations import EXAMPLE, Installation, built_wheel
from playwright.sync_api import Locator, Page, expect
from serving import served_installation
from steps import QUESTION, Visit, ask, expect_all_views, expect_answer, expect_ready, settle

pytestmark = [pytest.mark.browser, pytest.mark.real]

TITLE = "Tiny OLMo 2 with random weights"
DROPPED = {"z_import": "import error", "z_misspelt": "misspelt hook", "z_raising": "raising hook"}
"""Files that somebody dropped into adapters/, and what is wrong with them."""


FOREIGN_SETTINGS = """
[client]
showSidebarNavigation = true

[theme.light]
primaryColor = "#ff0000"
"""


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The app, the example package beside it, and some broken files in adapters/."""
    example = built_wheel(EXAMPLE, tmp_path_factory.mktemp("example"))
    installation = Installation.of(tmp_path_factory.mktemp("plug-ins"), wheel, example)
    for name, kind in DROPPED.items():
        (installation.app / "adapters" / f"{name}.py").write_text(BROKEN[kind].source, encoding="utf-8")
    return installation


@pytest.fixture(scope="module")
def address(installation: Installation, embedded: object) -> Iterator[str]:
    """The installed app, started in a folder with settings of another Streamlit app."""
    (installation.cwd / ".streamlit").mkdir()
    (installation.cwd / ".streamlit" / "config.toml").write_text(FOREIGN_SETTINGS, encoding="utf-8")
    with served_installation(installation) as url:
        yield url


@pytest.fixture
def tab(visit: Visit, address: str) -> Page:
    tab = visit(address)
    expect_ready(tab)
    settle(tab)
    return tab


def choose_model(page: Page, title: str) -> None:
    """Type a model's name in the sidebar and take the option that bears it."""
    field = page.get_by_role("combobox", name=re.compile("^Model"))
    settle(page)
    field.click()
    field.fill(title)
    page.get_by_role("option", name=title, exact=True).click()


def test_the_command_lists_the_packages_model_and_adapter_and_the_broken_files(installation: Installation) -> None:
    record = installation.listed()
    assert ("olmo2-random", TITLE) in [(entry["id"], entry["title"]) for entry in record["models"]]
    assert {"name": "Olmo2Adapter", "model_types": ["olmo2"]} in record["adapters"]
    assert {"name": "olmo2", "origin": "llm-tracker-olmo2", "version": "0.1.0"} in record["plugins"]
    assert [(failure["name"], failure["where"]) for failure in record["failures"]] == [
        (name, f"adapters/{name}.py, line {BROKEN[kind].line}") for name, kind in DROPPED.items()
    ]


def test_an_installed_packages_model_is_chosen_in_the_sidebar_and_answers(tab: Page) -> None:
    choose_model(tab, TITLE)
    expect(tab.get_by_text("4 layers · 4 heads")).to_be_visible()
    ask(tab)
    expect(tab.get_by_text(f"Answered by {TITLE}")).to_be_visible()
    expect(tab.locator(".lt-card.before .head")).to_contain_text(QUESTION)
    expect(tab.locator(".lt-card.before .note")).to_contain_text("likely")
    assert tab.locator(".lt-card.before .answer").inner_text().strip()
    expect_all_views(tab)


def expect_broken_files(place: Locator) -> None:
    for name, kind in DROPPED.items():
        expect(place.get_by_text(f"adapters/{name}.py, line {BROKEN[kind].line}")).to_be_visible()
        expect(place.get_by_text(BROKEN[kind].reason)).to_be_visible()


def test_broken_files_are_named_with_their_lines_in_the_sidebar_and_on_the_models_page_and_the_app_works(
    tab: Page,
) -> None:
    expect_broken_files(tab.locator("[data-testid=stSidebar]"))
    ask(tab)
    expect_answer(tab, "before", "Paris", QUESTION)
    tab.get_by_role("link", name="Models", exact=True).click()
    expect_broken_files(tab.locator("[data-testid=stMain]"))
    expect_broken_files(tab.locator("[data-testid=stSidebar]"))
    expect(tab.locator("[data-testid=stException]")).to_have_count(0)


def test_the_installed_app_keeps_its_own_face_where_another_apps_settings_lie(tab: Page) -> None:
    button = tab.get_by_role("button", name="Ask", exact=True)
    expect(button).to_be_visible()
    expect(tab.locator("[data-testid=stSidebarNav]")).to_have_count(0)
    assert button.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(47, 93, 138)"
