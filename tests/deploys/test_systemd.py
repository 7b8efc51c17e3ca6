"""The service for systemd."""

from __future__ import annotations

import argparse
import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from installations import ROOT

from llm_tracker.cli.commands import app

UNIT = ROOT / "deploy" / "llm-tracker.service"
MOST_EXPOSED = 20
"""Of 100, as `systemd-analyze security` counts: 15 to 20 is what a service on a network can come to."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")


def commands() -> list[list[str]]:
    """The command lines that the service begins."""
    said = [line for line in UNIT.read_text(encoding="utf-8").splitlines() if line.startswith("ExecStart=")]
    return [shlex.split(line.partition("=")[2]) for line in said]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The service, with a program that is on this machine, too."""
    ((program, *_),) = commands()
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace(program, sys.executable), encoding="utf-8")
    return copy


def analyzed(*arguments: str) -> str:
    """What systemd says of a unit."""
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_takes_the_unit_as_it_stands(unit: Path) -> None:
    assert analyzed("verify", str(unit)) == ""


@needs_systemd
def test_systemd_counts_little_that_the_service_could_do_to_the_machine(unit: Path) -> None:
    analyzed("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit))


def test_the_service_is_the_command_for_this_machine_alone() -> None:
    ((program, command, *arguments),) = commands()
    assert (Path(program).name, command) == ("llm-tracker", "app")
    parser = argparse.ArgumentParser()
    app.add_arguments(parser)
    assert parser.parse_args(arguments).address == app.THIS_MACHINE


def test_what_lasts_is_where_the_service_may_write() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNIT, encoding="utf-8")
    service = parser["Service"]
    places = dict(part.split("=", 1) for part in service["Environment"].split())
    own = {"%S": service["StateDirectory"], "%C": service["CacheDirectory"]}
    assert set(own.values()) == {"llm-tracker"}, "platformdirs adds this name to where it is told to write"
    assert (places["XDG_DATA_HOME"], places["XDG_CACHE_HOME"]) == ("%S", "%C")
    assert places["HF_HOME"].startswith("%C/llm-tracker/")
    assert service["WorkingDirectory"] == places["HOME"] == "%S/llm-tracker"
