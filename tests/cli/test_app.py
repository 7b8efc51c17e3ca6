"""The command line's `app`: it becomes the app's own process, where that can be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from serving import free_port

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.load_options import LoadOptions
from llm_tracker.settings import Settings


def test_the_app_is_served_with_its_own_settings_from_any_folder(tmp_path: Path) -> None:
    """Its theme and manners stand beside dashboard.py, wherever it is started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llm_tracker", "app", "--port", str(port)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        config = served(f"http://127.0.0.1:{port}/_stcore/host-config")
        assert config
        page = served(f"http://127.0.0.1:{port}/")
        assert "<title>" in page
    finally:
        process.terminate()
        output = process.communicate(timeout=20)[0]
    assert "Collecting usage statistics" not in output


def test_the_app_takes_over_the_model_the_device_and_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "--port 8600 --address 127.0.0.1 --model embedded --device cpu --dtype bfloat16 --allow-pickle"
    started = started_with(given.split(), monkeypatch)
    assert started[started.index("--server.port") + 1] == "8600"
    assert started[started.index("--server.address") + 1] == "127.0.0.1"
    assert Settings.of_environment() == Settings("embedded", LoadOptions("cpu", "bfloat16", lt.Trust(pickle=True)))


@pytest.mark.parametrize("prefix", ["/tracker", "tracker/", "/tracker/"])
def test_the_app_is_told_the_path_under_which_a_proxy_hands_it_on(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = started_with(["--port", str(free_port()), "--prefix", prefix], monkeypatch)
    assert started[started.index("--server.baseUrlPath") + 1] == "tracker"
    assert "--server.baseUrlPath" not in started_with(["--port", str(free_port()), "--prefix", "/"], monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dtype", "int3"],
        ["--model", "nonsense"],
        ["--trust-remote-code"],
        ["--prefix", "https://example.org/tracker"],
        ["--prefix", "a path"],
    ],
)
def test_the_app_is_not_started_with_what_there_is_not(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("the app was started"))
    assert main(["app", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_port_that_is_taken_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("the app was started"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["app", "--port", str(port), "--address", "127.0.0.1"]) == 2
    said = capsys.readouterr().err
    assert f"cannot listen on port {port} of 127.0.0.1: it is taken" in said
    assert said.endswith("Choose another with --port.\n")


def started_with(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line of the process that `llm-tracker app` becomes."""
    started: list[str] = []

    def become(_path: str, command: list[str]) -> None:
        started.extend(command)
        raise SystemExit

    monkeypatch.setattr(os, "execv", become)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(SystemExit):
        main(["app", *arguments])
    return started


def served(url: str, seconds: float = 120) -> str:
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
