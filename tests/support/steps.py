"""What a visitor does and looks at in the browser, by the names that stand on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, expect

Scheme = Literal["light", "dark"]
Visit = Callable[..., Page]
"""What the fixture `visit` gives: `visit(address, width=…, scheme=…, apart=…)`."""

QUESTION = "What is the capital of France?"
CORRECTION = "That is wrong. The correct answer is London."
VIEWS = ("Candidates", "Layer by layer", "Attention by word")
N_CHARTS = 3

PATIENCE = 180_000
"""Milliseconds for whatever comes: a slow machine is no failure. How fast things are is measured elsewhere."""
expect.set_options(timeout=PATIENCE)

QUIET_MS = 100
"""The page is settled when nothing has been drawn for so long, and nothing is owed that has yet to come.

That is: the beginning of an answer to a click, and the script of a widget, which the browser fetches when the first one
of its kind is to be drawn; until then a skeleton of another height stands in its place.
"""

WATCH = """
if (!window.stirred) {
    window.owed = false;
    const stir = () => { window.stirred = performance.now(); };
    const what = {subtree: true, childList: true, characterData: true, attributes: true};
    new MutationObserver(stir).observe(document, what);
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (...sent) {
        window.owed = true;
        this.addEventListener('message', () => { window.owed = false; stir(); }, {once: true});
        return send.apply(this, sent);
    };
    stir();
}
"""
"""Notes when the page last changed, and whether the server owes the beginning of an answer to a click or a key."""

SETTLED = """
quiet => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton]')
    && !window.owed && performance.now() - window.stirred >= quiet
"""


DARK = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === 'rgb(18, 22, 28)'"


def opened(window: Browser | BrowserContext, address: str, width: int = 1280, scheme: Scheme = "light") -> Page:
    """A fresh visitor's tab; at an address that another tab has come to, it shows that one's conversation.

    In a window that is open already the app's files are at hand and compiled; in a browser it gets a window of its own.
    """
    tab = window.new_page()
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)
    tab.set_default_timeout(PATIENCE)
    tab.add_init_script(WATCH)
    tab.goto(address)
    return tab


def expect_ready(page: Page) -> None:
    """The model is in memory and its parity is proved."""
    page.get_by_text("✓ read exactly").wait_for()


def ask(page: Page, question: str = QUESTION) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def correct(page: Page, correction: str = CORRECTION) -> None:
    page.get_by_label("Correction", exact=True).fill(correction)
    page.get_by_role("button", name="Correct", exact=True).click()


def chip(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def expect_answer(page: Page, side: str, text: str, said: str | None = None) -> None:
    """The finished answer of a side (to what was said); the words below it come only when it has ended."""
    card = page.locator(f".lt-card.{side}")
    if said is not None:
        expect(card.locator(".head")).to_contain_text(said)
    expect(card.locator(".answer")).to_have_text(text)
    expect(card.locator(".note")).to_contain_text("likely")


def expect_all_views(page: Page) -> None:
    for view in VIEWS:
        expect(page.get_by_role("heading", name=view)).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart] svg.marks")).to_have_count(N_CHARTS)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def expect_control(page: Page) -> None:
    """The control has been run and stands in the headline."""
    expect(page.locator(".headline")).to_contain_text("asked again:")


def settle(page: Page) -> None:
    """Wait until the server has answered everything, no script runs, and the page has drawn what came of it."""
    page.evaluate(WATCH)  # a tab that `opened` did not open has it from here on
    page.wait_for_function(SETTLED, arg=QUIET_MS, polling=20)


def darken(page: Page) -> None:
    """Let the reader's system change to dark colours, which the page follows."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(DARK)
    settle(page)


def choose(page: Page, box: str, option: str) -> None:
    """Choose an option of a select box. It is scrolled to first: a list that is open closes when the page scrolls."""
    field = page.get_by_role("combobox", name=box, exact=True)
    field.scroll_into_view_if_needed()
    settle(page)
    field.click()
    page.get_by_role("option", name=option, exact=True).click()


def type_model(page: Page, name: str) -> None:
    """Type a model's name into the sidebar's field, and take it as it is."""
    field = page.get_by_role("combobox", name="Model", exact=True)
    settle(page)
    field.click()
    field.fill(name)
    page.get_by_role("option", name=f"Add: {name}", exact=True).click()


def ask_capital(page: Page) -> None:
    """The newcomer's question by its chip, answered and drawn: the example says Paris too, under another caption."""
    chip(page, "capital")
    expect(page.get_by_text("Answered by")).to_be_visible()
    settle(page)
    expect_answer(page, "before", "Paris")


def follow(page: Page, word: str) -> None:
    """Type a word to be followed. The field is scrolled to first: a list that is open closes when the page scrolls."""
    field = page.get_by_role("combobox", name="Words to follow: pick some, or type any", exact=True)
    field.evaluate("each => each.scrollIntoView({block: 'center'})")
    settle(page)
    field.click()
    field.fill(word)
    page.get_by_role("option", name=f"Add: {word}", exact=True).wait_for()
    settle(page)  # the option is marked a moment after it is there, and Enter takes the marked one
    field.press("Enter")
    field.press("Escape")
    expect(page.locator(".headline")).to_contain_text(f"“{word}”")


def on_page(page: Page, name: str) -> None:
    """Go to a page by its name in the sidebar, which keeps the conversation."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    settle(page)


def computed(tab: Page, button: str) -> None:
    """Press a button that computes something, and wait until nothing more is computed."""
    tab.get_by_role("button", name=button).click()
    expect(tab.get_by_role("button", name=button)).to_have_count(0)
    expect(tab.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    settle(tab)


def corrected_conversation(window: BrowserContext, address: str) -> Page:
    """A tab on the newcomer's question, its correction and the control, all of it drawn."""
    tab = opened(window, address)
    expect_ready(tab)
    ask_capital(tab)
    correct(tab)
    expect_answer(tab, "after", "London")
    expect_control(tab)
    settle(tab)
    return tab
