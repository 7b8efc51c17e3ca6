"""How long a newcomer waits for the page and for the first answer: in an app that has just begun, and in one that runs.

    PYTHONPATH=.:tests/support .venv/bin/python scripts/measure_first_minutes.py            # this installation
    PYTHONPATH=.:tests/support .venv/bin/python scripts/measure_first_minutes.py --unprepared  # its model still packed

Each is measured three times, in a fresh tab of headless Chromium; the median is printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict

from chromium import launched_chromium
from playwright.sync_api import Browser
from serving import served_app

TIMES = 3
A_MINUTE = 60_000
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"


def first_answer(browser: Browser, address: str) -> dict[str, float]:
    """Seconds from opening the address to what is on the screen."""
    with browser.new_context() as window:
        tab = window.new_page()
        tab.set_default_timeout(2 * A_MINUTE)
        begun = time.perf_counter()
        tab.goto(address)
        tab.get_by_label("Question", exact=True).wait_for()
        page = time.perf_counter() - begun
        tab.get_by_role("button", name="capital", exact=True).click()
        tab.get_by_text("Answered by").wait_for()
        answered = time.perf_counter() - begun
        return {"first paint": tab.evaluate(FIRST_PAINT), "question field": page, "first answer": answered}


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description="How long a newcomer waits for the page and for the first answer.")
    parser.add_argument("--unprepared", action="store_true", help="unpack the built-in model anew each time")
    unprepared = parser.parse_args().unprepared
    seconds: dict[str, list[float]] = defaultdict(list)
    with launched_chromium() as browser:
        for _ in range(TIMES):
            with tempfile.TemporaryDirectory() as cache:
                own = {"XDG_CACHE_HOME": cache} if unprepared else {}
                begun = time.perf_counter()
                with served_app({**os.environ, "LLM_TRACKER_STORE": "none", **own}) as address:
                    seconds["the app answers, after its start"].append(time.perf_counter() - begun)
                    for what in ("just begun", "running"):
                        for name, value in first_answer(browser, address).items():
                            seconds[f"{name}, the app {what}"].append(value)
    lines = (f"{name}: {statistics.median(v):.1f} s ({min(v):.1f} to {max(v):.1f})" for name, v in seconds.items())
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
