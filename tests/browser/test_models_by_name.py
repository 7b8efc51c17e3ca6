"""Models by their names in a real browser: typed, refused, let go and asked again, and two of them side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from steps import (
    Visit,
    ask_capital,
    choose,
    correct,
    expect_all_views,
    expect_answer,
    expect_control,
    expect_ready,
    follow,
    settle,
    type_model,
)
from tiny_models import tiny_network, tiny_tokenizer

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with other layers, heads and tokens than the built-in one."""
    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    tiny_network("llama", num_hidden_layers=5).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.soak
def test_a_typed_directory_becomes_the_model_and_the_conversation_stays(page: Page, directory: Path) -> None:
    """tests/app/frame/test_model_picker.py says so of the script, and two models side by side type one below."""
    ask_capital(page)
    type_model(page, str(directory))
    expect(page.get_by_text("5 layers · 4 heads")).to_be_visible()
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("tiny-llama")
    expect_answer(page, "before", "Paris")
    expect(page.get_by_text("Answered by SmolLM2-135M-Instruct")).to_be_visible()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Answered by tiny-llama")).to_be_visible()
    expect_all_views(page)
    choose(page, "Model", "SmolLM2-135M-Instruct")
    expect(page.get_by_text("30 layers · 9 heads")).to_be_visible()


@pytest.mark.soak
def test_typed_nonsense_is_a_sentence_below_the_field_and_everything_stays(page: Page) -> None:
    """tests/app/frame/test_model_picker.py says so of the page as a script."""
    ask_capital(page)
    type_model(page, "no such <b>model")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("There is no model “no such <b>model”.")).to_be_visible()
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("SmolLM2-135M-Instruct")
    expect(page.get_by_text("✓ read exactly")).to_be_visible()
    expect_answer(page, "before", "Paris")
    expect_all_views(page)


@pytest.mark.soak
def test_an_unloaded_model_leaves_its_answer_and_comes_back_with_the_next_question(page: Page) -> None:
    """tests/app/models/test_models_page.py says so of the page as a script."""
    ask_capital(page)
    page.get_by_role("link", name="Models").click()
    page.locator(".st-key-page-unload-embedded button").click()  # other visitors of this server have models too
    expect(page.get_by_text("Not in memory now. The next question loads it again.")).to_be_visible()
    page.get_by_role("link", name="Ask").click()
    expect_answer(page, "before", "Paris")
    expect_all_views(page)
    page.get_by_label("Question", exact=True).fill("What is the capital of Japan?")
    page.get_by_label("Question", exact=True).press("Enter")
    expect_answer(page, "before", "Tokyo")
    expect(page.get_by_text("✓ read exactly")).to_be_visible()


def test_the_parts_of_the_model_are_shown_and_the_catalogue_is_searched_and_says_what_fits(page: Page) -> None:
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_text("The parts of each layer")).to_be_visible()
    expect(page.get_by_role("cell", name="LlamaAttention")).to_be_visible()
    expect(page.get_by_text("A download of 2.2 GB. Takes about 2.2 GB in memory")).to_be_visible()
    page.get_by_label("Search the models by id, name or note").fill("nothing like it")
    page.get_by_label("Search the models by id, name or note").press("Enter")
    expect(page.get_by_text("No model here has “nothing like it” in its id, name or note.")).to_be_visible()
    expect(page.get_by_text("A download of 2.2 GB.")).to_have_count(0)


@pytest.mark.soak
def test_two_models_stand_side_by_side_in_every_view(visit: Visit, server: str, directory: Path) -> None:
    tab = visit(server)
    expect_ready(tab)
    ask_capital(tab)
    type_model(tab, str(directory))
    tab.get_by_role("button", name="Ask tiny-llama the same, and compare", exact=True).click()
    expect(tab.get_by_text("Answered by SmolLM2-135M-Instruct and tiny-llama, one-word answers.")).to_be_visible()
    follow(tab, "zebra")
    expect_two_models(tab, 1280)
    expect_two_models(visit(tab.url, width=400, scheme="dark"), 400)
    correct(tab)
    expect_answer(tab, "after", "London")
    expect_control(tab)
    expect(tab.get_by_text("Answered by SmolLM2-135M-Instruct, one-word answers.")).to_be_visible()


def expect_two_models(tab: Page, width: int) -> None:
    """Each model has its name, its layers and its own layer to look at; nothing runs out of the page."""
    expect_answer(tab, "before", "Paris", "Before: SmolLM2-135M-Instruct")
    expect(tab.locator(".lt-card.after .head")).to_contain_text("After: tiny-llama")
    headline = tab.locator(".headline")
    expect(headline).to_contain_text("SmolLM2-135M-Instruct says “Paris” (95 %), tiny-llama says “")
    expect(headline).to_contain_text("They give different answers.")
    expect(headline).not_to_contain_text("again")
    expect_all_views(tab)
    expect(tab.get_by_text("has 30 layers and tiny-llama has 5 layers; the axis is the depth in each")).to_be_visible()
    expect(tab.get_by_role("slider", name="Layer, SmolLM2-135M-Instruct")).to_have_value("30")
    expect(tab.get_by_role("slider", name="Layer, tiny-llama")).to_have_value("5")
    settle(tab)
    assert tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    serious = [each for each in Axe().run(tab).response["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []
