"""What the whole app takes in memory while somebody uses all of it, against the 2.7 GB of a free host.

    .venv/bin/python -m benchmarks.tinyllama_like /tmp/tinyllama
    PYTHONPATH=.:tests/support .venv/bin/python scripts/measure_memory.py /tmp/tinyllama

Serves the app on a free port, asks and corrects in headless Chromium, opens every page, and finds out what the
correction did. Meanwhile the server's processes are looked at twenty times a second. Exit status 1: what the system
cannot take back was more than the host has. With --enforce (root, Linux) the server runs in a control group that has no
more than the host, files that it reads included, so that the system would end it as the host does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from chromium import launched_chromium
from playwright.sync_api import Page, expect
from serving import free_port, started_app
from steps import ask, correct, opened, settle

HOST_BYTES = 2_700_000_000
"""What Streamlit Community Cloud lets an app have at most (its documentation: about 2.7 GB)."""
LOOKS_PER_SECOND = 20
PAGES = ("Tokens", "Layers", "Attention", "Compare", "Study", "History", "Models", "Teach", "Guide", "Correction")
A_MINUTE = 60_000
LINES = {"RssAnon": "anonymous", "RssFile": "mapped", "RssShmem": "shared"}


@dataclass(frozen=True)
class Taken:
    """What a process takes, in bytes. What is mapped from files the system can take back, and does before it kills."""

    anonymous: int = 0
    mapped: int = 0
    shared: int = 0

    @property
    def all(self) -> int:
        """As `ps` counts it."""
        return self.kept + self.mapped

    @property
    def kept(self) -> int:
        """What the system cannot take back without a place to write it to."""
        return self.anonymous + self.shared

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.anonymous + other.anonymous, self.mapped + other.mapped, self.shared + other.shared)


def taken_by(process: psutil.Process) -> Taken:
    """What a process takes now; nothing once it has ended."""
    try:
        said = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return Taken()
    pairs = (line.partition(":") for line in said.splitlines())
    return replace(Taken(), **{LINES[name]: int(value.split()[0]) * 1024 for name, _, value in pairs if name in LINES})


def taken_by_all(server: psutil.Process) -> Taken:
    """What a server and the processes that it began take together."""
    return sum(map(taken_by, [server, *server.children(recursive=True)]), Taken())


@contextmanager
def watched(server: psutil.Process) -> Iterator[Callable[[], tuple[Taken, Taken]]]:
    """Within this context: when most was taken, and when most was taken that the system cannot take back."""
    peaks, ended = [Taken(), Taken()], threading.Event()

    def watch() -> None:
        while not ended.wait(1 / LOOKS_PER_SECOND):
            now = taken_by_all(server)
            peaks[0] = max(peaks[0], now, key=lambda each: each.all)
            peaks[1] = max(peaks[1], now, key=lambda each: each.kept)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: (peaks[0], peaks[1])
    finally:
        ended.set()
        watcher.join()


def use_all(page: Page, minutes: float) -> Iterator[str]:
    """Do all that a visitor can do, and name each step once it is done."""
    page.get_by_text("✓ read").wait_for(timeout=10 * A_MINUTE)
    yield "loaded"
    ask(page)
    expect(page.get_by_text("Answered by")).to_be_visible(timeout=10 * A_MINUTE)
    settle(page)
    yield "asked"
    correct(page)
    expect_control_of(page)
    yield "corrected"
    for name in PAGES:
        page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=5 * A_MINUTE)
        settle(page)
        yield name
    yield find_out(page, minutes)


def expect_control_of(page: Page) -> None:
    """Wait for the correction's answer and for that of merely asking again."""
    said = re.compile("asked again[:,]")  # "asked again: 65 %", or "Merely asked again, it becomes …"
    expect(page.locator(".headline")).to_contain_text(said, timeout=15 * A_MINUTE)
    settle(page)


def find_out(page: Page, minutes: float) -> str:
    """Press the Correction page's button, and stop after some minutes what has not ended by then."""
    page.get_by_role("textbox", name="Right word").fill("Paris")
    page.get_by_role("textbox", name="Other word").fill("London")
    page.get_by_role("button", name="Find out what it did").click()
    begun, again = time.monotonic(), page.get_by_role("button", name="Find out again")
    try:
        expect(again).to_be_enabled(timeout=minutes * A_MINUTE)
    except AssertionError:
        page.get_by_role("button", name="Stop", exact=True).click()
        return f"experiment, stopped after {minutes:g} minutes"
    return f"experiment, whole, {time.monotonic() - begun:.0f} s"


def confined(process: subprocess.Popen[bytes]) -> Path:
    """Put a process and what it will begin into a control group of the host's size; the group's folder."""
    is_first_version = Path("/sys/fs/cgroup/memory").is_dir()
    group = Path("/sys/fs/cgroup", "memory" if is_first_version else "", f"llm-tracker-{process.pid}")
    group.mkdir()
    os.sync()  # what is not yet written cannot be dropped
    Path("/proc/sys/vm/drop_caches").write_text("1")  # a file is counted for the group that reads it first
    (group / ("memory.limit_in_bytes" if is_first_version else "memory.max")).write_text(str(HOST_BYTES))
    (group / "cgroup.procs").write_text(str(process.pid))
    return group


def measured(model: str, minutes: float, enforce: bool) -> dict[str, int]:
    """The peaks of a fresh app that begins with this model and keeps conversations in a file."""
    with tempfile.TemporaryDirectory() as folder, launched_chromium() as browser:
        told = {
            "LLM_TRACKER_MODEL": model,
            "LLM_TRACKER_STORE": f"{folder}/sessions.sqlite",
            "HF_HUB_OFFLINE": "1",
        }
        port = free_port()
        process = started_app({**os.environ, **told}, port)
        server, group = psutil.Process(process.pid), confined(process) if enforce else None
        try:
            with watched(server) as peaks:
                page = opened(browser, f"http://127.0.0.1:{port}")
                page.set_default_timeout(5 * A_MINUTE)
                for step in use_all(page, minutes):
                    most, kept = peaks()
                    print(f"{step}: {megabytes(most.all)} MB, {megabytes(kept.kept)} MB of it kept", flush=True)
                assert page.get_by_test_id("stException").count() == 0, "a page broke off"
                most, kept = peaks()
                assert process.poll() is None, "the app has ended"
        finally:
            process.terminate()
            process.wait(timeout=60)
            if group is not None:
                group.rmdir()
    return {"most_mb": megabytes(most.all), "mapped_mb": megabytes(most.mapped), "kept_mb": megabytes(kept.kept)}


def megabytes(n_bytes: int) -> int:
    """Millions of bytes, as hosts count."""
    return round(n_bytes / 1e6)


def main() -> int:
    """Measure, print the figures as one line of JSON, and compare them with what the host has."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("model", help="what the app begins with: a directory, or another name of a model")
    parser.add_argument("--minutes", type=float, default=20, help="after which the experiment is stopped; default: 20")
    parser.add_argument("--enforce", action="store_true", help="let the system end the app where it takes more")
    arguments = parser.parse_args()
    found = measured(arguments.model, arguments.minutes, arguments.enforce)
    print(json.dumps(found))
    return 0 if found["kept_mb"] <= megabytes(HOST_BYTES) else 1


if __name__ == "__main__":
    sys.exit(main())
