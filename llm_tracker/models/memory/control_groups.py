"""What Linux lets this process have: containers, systemd units and cluster jobs are held to it as control groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def group_limits() -> list[int]:
    """How many bytes this process's control group may have, and each that it lies in; both versions of them."""
    return [limit for folder, name in _memory_groups() for limit in _limits(folder, name)]


def _memory_groups() -> Iterator[tuple[Path, str]]:
    """The group's folder, and the name of the file that says its limit."""
    for line in _text(OWN_GROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield GROUPS / path.lstrip("/"), "memory.max"
        elif "memory" in controllers.split(","):
            yield GROUPS / "memory" / path.lstrip("/"), "memory.limit_in_bytes"


def _limits(folder: Path, name: str) -> Iterator[int]:
    """Those of a group and of all above it. Inside of a container only the uppermost may be there."""
    for each in (folder, *folder.parents):
        said = _text(each / name).strip() if each.is_relative_to(GROUPS) else ""
        if said.isdigit():
            yield int(said)


def _text(file: Path) -> str:
    """What a file of the system says; "" where it is not there, or not for this user to read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
