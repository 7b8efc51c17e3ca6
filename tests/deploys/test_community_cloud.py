"""Streamlit Community Cloud: what lies beside the entry point is what it installs and runs."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from identity_provider import IdentityProvider
from installations import ROOT
from packaging.requirements import Requirement
from serving import served_script
from websocket_visitor import WebsocketVisitor, run_visits

from llm_tracker.app.work.limits import OPEN, limits_of
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.settings import STORE, Settings
from llm_tracker.storage.store.address import store_address

FOLDER = ROOT / "deploy" / "community-cloud"
SECRETS = tomllib.loads((ROOT / ".streamlit" / "secrets.example.toml").read_text(encoding="utf-8"))


def lines(file: Path) -> list[str]:
    """What a requirements file says, without comments."""
    said = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in said if line]


@pytest.fixture
def shared_by_its_secrets(tmp_path: Path) -> Iterator[str]:
    """The app started as the host starts it: from the root, with settings among the secrets alone."""
    (tmp_path / ".streamlit").mkdir()
    secrets = f'{STORE} = "{tmp_path}/sessions.sqlite"\nLLM_TRACKER_PUBLIC = "1"\nLLM_TRACKER_MODELS = "smollm2"\n'
    (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets, encoding="utf-8")
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", STORE)}
    with served_script("deploy/community-cloud/dashboard.py", {**variables, "HOME": str(tmp_path)}, ROOT) as url:
        yield url


def test_its_pages_open_and_know_from_the_secrets_that_strangers_share_them(
    shared_by_its_secrets: str, tmp_path: Path
) -> None:
    for page in ("", "Tokens", "Models"):
        assert "is your way back" in run_visits(seen(shared_by_its_secrets, page)), page
    assert (tmp_path / "sessions.sqlite").is_file()


async def seen(url: str, page: str) -> str:
    """What a visitor of a page sees, which has no fault."""
    async with WebsocketVisitor(url, page) as visitor:
        assert visitor.exceptions == [], page
        return visitor.html()


def test_torch_for_cpus_is_the_version_of_the_apps_own_requirements_and_nothing_else_is_added() -> None:
    links, torch, others = lines(FOLDER / "requirements.txt")
    assert links == "--find-links https://download.pytorch.org/whl/cpu/torch/"
    assert (FOLDER / others.removeprefix("-r ")).resolve() == ROOT / "requirements.txt"
    (plain,) = (line for line in lines(ROOT / "requirements.txt") if Requirement(line).name == "torch")
    here = Requirement(torch)
    assert str(here.specifier) == f"{Requirement(plain).specifier}+cpu"
    assert here.marker is not None
    assert here.marker.evaluate({"sys_platform": "linux"})
    assert not here.marker.evaluate({"sys_platform": "darwin"})


def test_the_apps_own_requirements_hold_no_option_which_the_wheels_metadata_could_not_hold_either() -> None:
    assert all(Requirement(line) for line in lines(ROOT / "requirements.txt"))


def test_the_example_of_secrets_has_the_settings_that_the_app_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: value for name, value in SECRETS.items() if isinstance(value, str)}
    for name, value in given.items():  # Streamlit makes the secrets of the first level environment variables, too
        monkeypatch.setenv(name, value)
    settings, address = Settings.of_environment(), store_address()
    assert address is not None
    assert address.render_as_string(hide_password=False).endswith(given.pop(STORE).partition("://")[2])
    assert settings.public
    assert [find_entry(name).id for name in settings.models] == list(settings.models)
    assert limits_of(settings.limits, OPEN) != OPEN
    assert given.keys() == {"LLM_TRACKER_PUBLIC", "LLM_TRACKER_MODELS", "LLM_TRACKER_LIMITS"}


def test_the_example_of_secrets_has_what_signing_in_needs() -> None:
    with IdentityProvider("Ada") as provider:
        needed = tomllib.loads(provider.secrets("http://localhost"))["auth"]
    assert SECRETS["auth"].keys() == needed.keys()
    assert SECRETS["auth"]["redirect_uri"].endswith("/oauth2callback")


def test_secrets_are_never_committed_and_their_example_is() -> None:
    command = ["git", "check-ignore", ".streamlit/secrets.toml", ".streamlit/secrets.example.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [".streamlit/secrets.toml"]
