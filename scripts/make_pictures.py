"""Make the README's pictures from the real app with the built-in model: `make pictures`.

Serves the app on a free port, drives it in headless Chromium, and writes docs/pictures/.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chromium import launched_chromium
from PIL import Image
from playwright.sync_api import Browser, Page
from serving import served_app
from steps import ask, correct, settle

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"

SHOTS: dict[str, dict[str, Any]] = {
    "ask-light.png": {"viewport": {"width": 1280, "height": 1640}, "color_scheme": "light"},
    "ask-dark.png": {"viewport": {"width": 1280, "height": 1640}, "color_scheme": "dark"},
    "ask-narrow.png": {"viewport": {"width": 400, "height": 1900}, "color_scheme": "light"},
}
FRAME_SIZE = {"width": 1160, "height": 760}


def ask_and_correct(page: Page) -> None:
    """The newcomer's conversation, with its control."""
    ask(page)
    page.get_by_text("Answered by").wait_for()
    settle(page)
    correct(page)
    page.locator(".headline", has_text="asked again: 65 %").wait_for()
    settle(page)


def opened(browser: Browser, address: str, **context: Any) -> Page:
    """A fresh visitor's tab with the example on it and the model ready."""
    page = browser.new_page(**context)
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_text("A finished example").wait_for()
    page.get_by_text("✓ read exactly").wait_for(state="attached")
    settle(page)
    return page


def animation(page: Page) -> Iterator[tuple[Image.Image, int]]:
    """The frames of the tour, each with its milliseconds."""

    def frame() -> Image.Image:
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")

    yield frame(), 1500
    page.get_by_label("Question", exact=True).fill("What is the capital of Japan?")
    yield frame(), 900
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).wait_for()
    page.wait_for_timeout(150)
    yield frame(), 700
    page.get_by_text("Answered by").wait_for()
    settle(page)
    yield frame(), 1400
    page.get_by_label("Correction", exact=True).fill("That is wrong. The correct answer is Seoul.")
    yield frame(), 1000
    page.get_by_role("button", name="Correct", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).wait_for()
    page.wait_for_timeout(150)
    yield frame(), 700
    page.locator(".headline", has_text="asked again").wait_for()
    settle(page)
    yield frame(), 2600
    for view in ("Candidates", "Layer by layer", "Attention by word"):
        page.get_by_role("heading", name=view).evaluate("each => each.scrollIntoView({block: 'start'})")
        settle(page)
        yield frame(), 2600


def main() -> None:
    """Write all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with served_app({**os.environ, "HF_HUB_OFFLINE": "1"}, cwd=ROOT) as address, launched_chromium() as browser:
        for name, context in SHOTS.items():
            page = opened(browser, address, **context)
            ask_and_correct(page)
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            shot.quantize(224, Image.Quantize.MAXCOVERAGE).save(PICTURES / name, optimize=True)
            page.close()
        page = opened(browser, address, viewport=FRAME_SIZE, color_scheme="light")
        frames, durations = zip(*animation(page), strict=True)
        small = [
            frame.resize((870, 570), Image.Resampling.LANCZOS).quantize(160, Image.Quantize.MAXCOVERAGE)
            for frame in frames
        ]
        small[0].save(
            PICTURES / "tour.gif",
            save_all=True,
            append_images=small[1:],
            duration=list(durations),
            loop=0,
            optimize=True,
        )


if __name__ == "__main__":
    main()
