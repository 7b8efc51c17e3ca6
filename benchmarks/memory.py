"""The memory of the whole app in a process of its own: load, ask, correct, control, all views."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llm_tracker.models.memory.heap import trim_heap
from llm_tracker.places import app_dir

QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. The correct answer is London."
SECONDS = 600


def status_mib(name: str) -> float:
    """A figure of this process's /proc/self/status, such as VmHWM (the largest RSS so far) or RssAnon."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


@contextmanager
def peak_anon_mib() -> Iterator[Callable[[], float]]:
    """Within this context, the largest anonymous memory of this process, looked at every 5 ms."""
    peak, ended = [status_mib("RssAnon")], threading.Event()

    def watch() -> None:
        while not ended.wait(0.005):
            peak[0] = max(peak[0], status_mib("RssAnon"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: peak[0]
    finally:
        ended.set()
        watcher.join()


@contextmanager
def extra_anon_mib() -> Iterator[Callable[[], float]]:
    """The same, less what there was at the beginning, and had not merely been freed and kept by the C library."""
    trim_heap()
    begun = status_mib("RssAnon")
    with peak_anon_mib() as peak:
        yield lambda: peak() - begun


def memory(model_id: str, dtype: str) -> Iterator[tuple[str, Any]]:
    """Peaks of a fresh process that runs the app's own pages with this model."""
    if not Path("/proc/self/status").is_file():
        return
    command = [sys.executable, "-m", "benchmarks.memory", "--model", model_id, "--dtype", dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=app_dir())
    yield from json.loads(done.stdout.splitlines()[-1]).items()


def _run_app(model_id: str, dtype: str) -> dict[str, float]:
    from streamlit.testing.v1 import AppTest

    from llm_tracker.app.work import engine as engines
    from llm_tracker.load_options import LoadOptions
    from llm_tracker.settings import Settings

    with peak_anon_mib() as peak:
        at = AppTest.from_file(str(app_dir() / "dashboard.py"), default_timeout=SECONDS)
        engine = engines.the_engine()
        engine.settings = engine.models.settings = Settings(model_id, LoadOptions(dtype=dtype))
        at.run()
        _settle(at, lambda: engine.models.loaded(model_id) is not None)
        workspace = next(iter(engine.workspaces))
        at.text_input(key="question").set_value(QUESTION)
        at.button(key="ask button").click().run()
        _settle(at, lambda: workspace.sessions.keys() > {0} and workspace.job is None)
        at.text_input(key="correction").set_value(CORRECTION)
        at.button(key="correct button").click().run()
        _settle(at, lambda: any(session.controls for number, session in workspace.sessions.items() if number))
        if len(at.get("vega_lite_chart")) != 3:
            raise RuntimeError("the app did not draw its three views")
        return {"peak_rss_mib": status_mib("VmHWM"), "peak_anon_mib": peak()}


def _settle(at: Any, done: Callable[[], bool]) -> None:
    """Run the page again until something has come about."""
    until = time.monotonic() + SECONDS
    while True:
        if at.exception:
            raise RuntimeError(at.exception[0].message)
        if done():
            at.run()
            return
        if time.monotonic() > until:
            raise RuntimeError("the app did not come to its end")
        time.sleep(0.2)
        at.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--dtype", required=True)
    arguments = parser.parse_args()
    print(json.dumps(_run_app(arguments.model, arguments.dtype)))
