"""The Compare page in a real browser: two real models and two number formats have the newcomer's conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from gemma import gemma_gguf
from playwright.sync_api import BrowserContext, Locator, Page, expect
from steps import Visit, darken, opened, settle
from transformers import AutoModelForCausalLM

import llm_tracker as lt

pytestmark = [pytest.mark.browser, pytest.mark.real]


VIEWS = ("What each says", "The lead by relative depth", "Where each looked", "How each cuts the words")


def compare_page(tab: Page) -> Page:
    expect(tab.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    settle(tab)
    return tab


def add(tab: Page, name: str, option: str) -> None:
    """Pick a model, or type one."""
    box = tab.get_by_role("combobox", name="Models", exact=True)
    settle(tab)
    box.click()
    box.fill(name)
    tab.get_by_role("option", name=option, exact=True).click()
    settle(tab)


@pytest.fixture(scope="module")
def address(window: BrowserContext, corrected: str) -> str:
    """The address of the newcomer's conversation, run by a click on the built-in model, in bfloat16, and on Gemma."""
    root, _, query = corrected.partition("?")
    tab = compare_page(opened(window, f"{root.rstrip('/')}/Compare?{query}"))
    assert tab.get_by_text("Nothing has been run yet.").is_visible()
    add(tab, "bfloat16", "SmolLM2-135M-Instruct, bfloat16")
    add(tab, str(gemma_gguf()), f"Add: {gemma_gguf()}")
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Run it on these models").click()
    expect(tab.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(tab.get_by_role("table", name="What each model says").get_by_role("row")).to_have_count(4)
    settle(tab)
    found = tab.url
    tab.close()
    return found


@pytest.fixture(scope="module")
def compared(window: BrowserContext, address: str) -> Iterator[Page]:
    """A tab on it, to be looked at."""
    tab = with_all_there(opened(window, address))
    yield tab
    tab.close()


def with_all_there(tab: Page) -> Page:
    for view in VIEWS:
        expect(tab.get_by_role("heading", name=view)).to_be_visible()
    expect(tab.locator("[data-testid=stVegaLiteChart] svg.marks")).to_have_count(4)
    expect(tab.locator("[data-testid=stException]")).to_have_count(0)
    settle(tab)
    return tab


def row(tab: Page, letter: str) -> Locator:
    return (
        tab.get_by_role("table", name="What each model says")
        .get_by_role("row")
        .filter(has_text=re.compile(f"^{letter} "))
    )


def shares(tab: Page, letter: str, word: str) -> list[float]:
    """The probabilities of a word that stand in a model's row, before and after."""
    cell = row(tab, letter).locator(f"[data-label='probability of “{word}”'] .main")
    return [
        0.0 if "under" in each else float(each) / 100 for each in re.findall(r"(?:under )?[\d.]+", cell.inner_text())
    ]


def test_every_model_answers_and_the_numbers_are_those_of_python(compared: Page, paris: lt.Session) -> None:
    names = {"A": "SmolLM2-135M-Instruct, float32", "B": "SmolLM2-135M-Instruct, bfloat16", "C": "gemma-3-270m-q4_k_m"}
    for letter, name in names.items():
        expect(row(compared, letter)).to_contain_text(name)
        expect(row(compared, letter)).to_contain_text("“Paris” → “London”")
        exactly = "as exactly as bfloat16 allows" if letter == "B" else "exactly"
        expect(row(compared, letter)).to_contain_text(f"✓ read {exactly} (")
        expect(row(compared, letter).locator("[data-label=layers]")).to_have_text("18" if letter == "C" else "30")
    for word in ("Paris", "London"):
        scores = [turn.score(word) for turn in paris.turns]
        assert shares(compared, "A", word) == pytest.approx([score.prob for score in scores if score], abs=0.01)
    expect(compared.get_by_text("All 3 say “Paris” and, after the correction, “London”.")).to_be_visible()


def test_the_probabilities_in_bfloat16_are_those_of_plain_transformers(
    compared: Page, embedded: lt.LoadedModel, paris: lt.Session
) -> None:
    """Each word is one token here, and the model ends behind it nearly always.

    In bfloat16 logits between 16 and 32 are told in steps of 1/8; which step it is depends on the processor's kernels.
    """
    two_steps = 2 / 8
    plain = AutoModelForCausalLM.from_pretrained(embedded.directory, dtype=torch.bfloat16)
    for at, turn in enumerate(paris.turns):
        with torch.no_grad():
            probs = plain(torch.tensor([turn.prompt.token_ids])).logits[0, -1].float().softmax(-1)
        for word in ("Paris", "London"):
            token_id = turn.trace.lens[0].watched[word].token_id
            prob = probs[token_id].item()
            as_near = 0.03 + two_steps * prob * (1 - prob)
            assert shares(compared, "B", word)[at] == pytest.approx(prob, abs=as_near)


def test_where_the_lead_turns_and_how_far_the_formats_are_apart(compared: Page, paris: lt.Session) -> None:
    said = compared.get_by_test_id("stMain").inner_text()
    watched = paris.turns[0].trace.lens[0].watched
    lead = watched["Paris"].logit - watched["London"].logit
    turns_at = max(layer for layer, value in enumerate(lead, start=1) if value <= 0) + 1
    assert f"In A and B “Paris” is ahead of “London” from layer {turns_at} of 30 on (depth {turns_at / 30:.2f})" in said
    told = re.search(r"bfloat16 and float32 differ in this lead by at most ([\d.]+) logits", said)
    assert told is not None
    assert 0 < float(told[1]) < 1
    assert "All 3 cut the question, the correction, “Paris” and “London” at the same places." in said


def test_it_passes_the_accessibility_rules_in_both_schemes_and_nothing_runs_out_of_the_page(
    visit: Visit, address: str
) -> None:
    tab = with_all_there(visit(address))
    for panel in tab.get_by_test_id("stMain").locator("[data-testid=stExpander] summary").all():
        panel.click()
    settle(tab)
    for width in (1280, 400):
        if width == 400:
            tab.set_viewport_size({"width": width, "height": 800})
            darken(tab)
        tab.wait_for_function(f"document.querySelector('[data-testid=stMain]').scrollWidth <= {width}")
        violations = Axe().run(tab).response["violations"]
        serious = [each for each in violations if each["impact"] in ("serious", "critical")]
        assert [(width, each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []


def test_each_chart_says_in_words_what_it_shows(compared: Page) -> None:
    charts = compared.locator("[data-testid=stVegaLiteChart][aria-label]")
    said = [label for label in charts.evaluate_all("all => all.map(each => each.getAttribute('aria-label'))") if label]
    assert said[0].startswith("Lead by relative depth, before; A is SmolLM2-135M-Instruct, float32, B is")
    assert "Parked on the start and the template: " in said[2]
    assert "“London” got most" in said[3]
