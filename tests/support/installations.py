"""The app as its users install it: a wheel, in an environment of its own, outside the checkout, without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "llm-tracker-olmo2"
LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "*.egg-info", "build", "dist")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def run(command: list[str], cwd: Path, variables: dict[str, str] | None = None) -> str:
    """What a command prints. Fails the test, with all that it said, where the command fails."""
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built_wheel(source: Path, folder: Path) -> Path:
    """A wheel of a copy of `source`, by way of its source archive, which stays beside it."""
    copy = shutil.copytree(source, folder / "source", ignore=LEFT_BEHIND)
    build = "import setuptools.build_meta as backend, sys; print(backend.build_sdist(sys.argv[1]))"
    archive = run([sys.executable, "-c", build, str(folder)], copy).splitlines()[-1]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    run([*PIP, "wheel", *options, str(folder / archive)], folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installation:
    """An environment with packages in it, and a folder to work in that is no checkout."""

    environment: Path
    cwd: Path

    @classmethod
    def of(cls, folder: Path, *packages: Path) -> Installation:
        """A fresh environment with wheels or source archives in it.

        What these depend on, and are built with, is taken from the environment that runs the tests.
        """
        here = cls(folder / "environment", folder / "anywhere")
        here.cwd.mkdir()
        venv.create(here.environment, symlinks=True)
        dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        # Of such a folder no .pth file is read: the checkout that is installed there as editable stays out.
        (here.packages / "dependencies.pth").write_text("\n".join(dependencies), encoding="utf-8")
        to_here = [*PIP, "--python", str(here.program("python"))]
        # What is installed among the dependencies, this project too, is not what is asked for.
        options = ["--ignore-installed", "--no-deps", "--no-index", "--no-build-isolation"]
        run([*to_here, "install", *options, *map(str, packages)], here.cwd)
        return here

    @property
    def packages(self) -> Path:
        """Where the packages were unpacked."""
        base = str(self.environment)
        return Path(sysconfig.get_path("purelib", "venv", {"base": base, "platbase": base}))

    @property
    def app(self) -> Path:
        """The folder with dashboard.py, pages/ and adapters/."""
        return self.packages / "llm_tracker" / "shipped"

    def program(self, name: str) -> Path:
        """A command of this environment."""
        return self.environment / "bin" / name

    def printed(self, *command: str) -> str:
        """What a command of this environment prints."""
        return run([str(self.program(command[0])), *command[1:]], self.cwd, self.variables)

    def listed(self) -> dict[str, Any]:
        """The record of `llm-tracker models --json`."""
        record: dict[str, Any] = json.loads(self.printed("llm-tracker", "models", "--json"))
        return record

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of its processes: nothing that leads back into the checkout, and no hub."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STREAMLIT"))}
        return {**plain, "HF_HUB_OFFLINE": "1"}
