"""The project's nginx in front of an app of this machine, as a process of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installations import ROOT
from serving import free_port

SITE = ROOT / "deploy" / "nginx.conf"
LISTENS, HANDS_ON_TO = "listen 80;", "http://127.0.0.1:8501;"

AROUND = """
{user}
daemon off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


def program() -> str:
    """The server's program. Fails, with what to install, where there is none."""
    found = shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if found is None:
        raise AssertionError("These tests need nginx. Install it with: sudo apt-get install nginx-light")
    return found


@contextmanager
def nginx(folder: Path, app_port: int) -> Iterator[str]:
    """The address of a server that hands on to the app at a port, by deploy/nginx.conf and nothing else of ours."""
    port = free_port()
    site = SITE.read_text(encoding="utf-8")
    assert site.count(LISTENS) == site.count(HANDS_ON_TO) == 1
    site = site.replace(LISTENS, f"listen 127.0.0.1:{port};")
    site = site.replace(HANDS_ON_TO, f"http://127.0.0.1:{app_port};")
    settings = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not write into the test's folder
    settings.write_text(AROUND.format(folder=folder, site=site, user=user), encoding="utf-8")
    command = [program(), "-p", str(folder), "-c", str(settings), "-e", str(folder / "errors")]
    process = subprocess.Popen(command)
    try:
        _wait_until_it_listens(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=120)


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, "nginx has ended: its settings cannot be used"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nginx did not listen on port {port}")
