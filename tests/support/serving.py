"""The app in a process of its own, as it is started from the checkout or by those who installed it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from installations import Installation


@contextmanager
def served_app(
    environment: dict[str, str], program: Sequence[str] = (sys.executable, "-m", "llm_tracker"), cwd: Path | None = None
) -> Iterator[str]:
    """The app in a process of its own, on a free port."""
    port = free_port()
    process = started_app(environment, port, program, cwd)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=120)


def started_app(
    environment: dict[str, str],
    port: int,
    program: Sequence[str] = (sys.executable, "-m", "llm_tracker"),
    cwd: Path | None = None,
    prefix: str = "",
) -> subprocess.Popen[bytes]:
    """The app's process, once it answers; whoever starts it ends it.

    What it fails with is among what a failed test shows: to standard error, not drawn on the standard output.
    """
    command = [*program, "app", "--port", str(port), "--prefix", prefix]
    return _answering(command, environment, f"http://127.0.0.1:{port}{prefix}", cwd)


@contextmanager
def served_script(script: str, environment: dict[str, str], cwd: Path) -> Iterator[str]:
    """What `streamlit run` makes of a script, on a free port, with the settings of the folder that it begins in."""
    port = free_port()
    where = ["--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", str(port)]
    url = f"http://127.0.0.1:{port}"
    process = _answering([sys.executable, "-m", "streamlit", "run", script, *where], environment, url, cwd)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(timeout=120)


def _answering(command: list[str], environment: dict[str, str], url: str, cwd: Path | None) -> subprocess.Popen[bytes]:
    plain_logs = {**environment, "STREAMLIT_LOGGER_ENABLE_RICH": "false"}
    process = subprocess.Popen(command, env=plain_logs, stdout=subprocess.DEVNULL, cwd=cwd)
    try:
        wait_until_healthy(f"{url}/_stcore/health")
    except BaseException:
        process.kill()
        raise
    return process


class OwnApp:
    """An app with a store of its own, on one port, that can be killed and started again."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self._environment = {**os.environ, "LLM_TRACKER_STORE": str(store)}
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._process = started_app(self._environment, self._port)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def wait_until_healthy(url: str, seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"the app did not answer at {url}")


def served_installation(installation: Installation) -> AbstractContextManager[str]:
    """The app of an installed wheel, started as its users start it."""
    program = [str(installation.program("llm-tracker"))]
    return served_app(installation.variables, program, installation.cwd)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
