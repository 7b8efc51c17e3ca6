"""The stored example with every chart that the app draws of it, and what a reader's browser makes of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import launched_chromium
from copied import model_of
from playwright.sync_api import Page, expect

import llm_tracker as lt
from llm_tracker.analysis.compare import sides_of
from llm_tracker.analysis.layers import layer_frame
from llm_tracker.charts.attention import attention_chart
from llm_tracker.charts.candidates import candidates_chart
from llm_tracker.charts.heat import Colours
from llm_tracker.charts.layers import layers_chart
from llm_tracker.charts.positions import positions_chart
from llm_tracker.figures.figure import Figure
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.loading import load as loading

EXAMPLE = Path(lt.__file__).parent / "app" / "parts" / "example"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """Names load tiny models, here and on the command line; what was loaded, by name and number format."""
    seen: list[tuple[str, str]] = []

    def load_model(name: str, device: str = "auto", dtype: str = "auto") -> lt.LoadedModel:
        seen.append((name, dtype))
        return model_of(name)

    def load(name: str, options: LoadOptions, *_: object) -> lt.LoadedModel:
        return load_model(name, options.device, options.dtype)

    monkeypatch.setattr(lt, "load_model", load_model)
    monkeypatch.setattr(loading, "load", load)
    monkeypatch.chdir(tmp_path)
    return seen


@pytest.fixture(scope="session")
def example() -> lt.Session:
    return lt.load_session(EXAMPLE)


@pytest.fixture(scope="session")
def candidate_frames(example: lt.Session) -> dict[str, pd.DataFrame]:
    return {side.name: lt.candidates(side.turn.trace, side.step, 5, example.watch_words) for side in sides_of(example)}


@pytest.fixture(scope="session")
def chart(example: lt.Session, candidate_frames: dict[str, pd.DataFrame]) -> Callable[[str], Any]:
    """Makes a chart of the app by its name, once."""
    sides, (word, over, *_) = sides_of(example), example.watch_words
    answers = {name: candidate_frames[name] for name in ("before", "after")}
    shares = {side.name: lt.attention_groups(lt.attention_by_word(side.turn, side.step)) for side in sides}
    makers: dict[str, Callable[[], Any]] = {
        "candidates": lambda: candidates_chart(answers, candidate_frames["again"]),
        "one": lambda: candidates_chart({"before": candidate_frames["before"]}),
        "lead": lambda: layers_chart(layer_frame(sides, "lead", word, over), "lead", word, over),
        "prob": lambda: layers_chart(layer_frame(sides, "prob", word), "prob", word),
        "rank": lambda: layers_chart(layer_frame(sides, "rank", word), "rank", word),
        "attention": lambda: attention_chart(shares),
        "map": lambda: positions_chart(map_frame(), Colours("probability of the next token", 0, 1, "%")),
    }
    return cache(lambda name: makers[name]())


def map_frame() -> pd.DataFrame:
    tokens = ["<|im_start|>", "user", "\n", " capital", " of", "東京", "🍎", "a very long token indeed"]
    cells = [(layer, at) for layer in range(1, 13) for at in range(len(tokens))]
    return pd.DataFrame(
        {
            "layer": [layer for layer, _ in cells],
            "position": [at for _, at in cells],
            "token": [tokens[at] for _, at in cells],
            "value": [layer * at / 100 for layer, at in cells],
        }
    )


@pytest.fixture(scope="session")
def figures(chart: Callable[[str], Any], candidate_frames: dict[str, pd.DataFrame]) -> list[Figure]:
    frame = pd.concat([each.assign(turn=name) for name, each in candidate_frames.items()])
    return [
        Figure("candidates", "Candidates", chart("candidates"), frame, "Before, “Paris” leads with 95 %."),
        Figure("layers", "Layers", chart("lead"), frame.head(3), "“Paris” from layer 24 on."),
        Figure("attention", "Attention", chart("attention"), frame.head(3), "83 % is parked."),
    ]


@dataclass(frozen=True)
class Seen:
    """What a browser without a network made of a page."""

    title: str
    text: str
    labels: list[str]
    n_drawn: int
    tooltip: str
    colours: tuple[str, str]
    """Of the page's background, and of the first words of a chart."""
    copied: tuple[str, str]
    """What the button that copies says, and what was copied or is selected then."""
    widths: tuple[int, int]
    """Of the window and of all that is in the page, on a phone."""
    violations: list[tuple[str, str]]
    asked_for: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Look = Callable[..., Seen]


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    """Opens a page in a reader's browser, whose system is light or dark.

    In a thread of its own: the pages of tests/browser may be open in this one, and Playwright serves a thread once.
    """
    with ThreadPoolExecutor(1) as reader:
        open_browser = launched_chromium()
        browser = reader.submit(open_browser.__enter__).result()

        def look(page: str, scheme: str, may_copy: bool = True) -> Seen:
            file = tmp_path_factory.mktemp("report") / "report.html"
            file.write_text(page, encoding="utf-8")
            return reader.submit(_seen, browser, file, scheme, may_copy).result()

        yield look
        reader.submit(open_browser.__exit__, None, None, None).result()


def _seen(browser: Any, file: Path, scheme: str, may_copy: bool) -> Seen:
    permissions = ["clipboard-read", "clipboard-write"] if may_copy else ["geolocation"]
    context = browser.new_context(color_scheme=scheme, permissions=permissions)
    context.set_offline(True)
    tab: Page = context.new_page()
    asked_for, complaints = list[str](), list[str]()
    tab.on("request", lambda request: asked_for.append(request.url))
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(file.as_uri())
    expect(tab.locator(".chart:not(:has(svg))")).to_have_count(0)
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    tab.get_by_role("button", name="Copy").press("Enter")
    said = tab.get_by_role("status").filter(has_text=".")
    said.wait_for()
    seen = Seen(
        title=tab.title(),
        text=tab.locator("main").inner_text(),
        labels=tab.get_by_role("img").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))"),
        n_drawn=tab.locator(".chart svg").count(),
        tooltip=_tooltip(tab),
        colours=(_colour(tab, "body", "backgroundColor"), _colour(tab, ".chart .role-axis-title text", "fill")),
        copied=(said.inner_text(), _copied(tab)),
        widths=_widths_on_a_phone(tab),
        violations=[(each["id"], each["help"]) for each in Axe().run(tab).response["violations"]],
        asked_for=asked_for,
        complaints=complaints,
    )
    context.close()
    return seen


def _tooltip(tab: Page) -> str:
    """What is said of a point of the second chart under the pointer."""
    points = tab.locator("#chart-1 .mark-symbol path")
    if points.count() == 0:
        return ""
    points.nth(20).hover(force=True)
    tip = tab.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    said = tip.inner_text()
    tab.mouse.move(0, 0)
    return said


def _copied(tab: Page) -> str:
    """What is on the clipboard where it may be read, or else selected."""
    return str(tab.evaluate("navigator.clipboard.readText().catch(() => String(getSelection()))"))


def _colour(tab: Page, selector: str, of: str) -> str:
    found = tab.locator(selector)
    return str(found.first.evaluate(f"each => getComputedStyle(each).{of}")) if found.count() else ""


def _widths_on_a_phone(tab: Page) -> tuple[int, int]:
    tab.set_viewport_size({"width": 400, "height": 800})
    expect(tab.locator(".chart svg:not([width='368'])")).to_have_count(0)
    return 400, int(tab.evaluate("document.documentElement.scrollWidth"))
