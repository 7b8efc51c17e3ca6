"""The limits of a container, a systemd unit or a cluster's job are known, of both versions of control groups."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from llm_tracker.models.memory import control_groups
from llm_tracker.models.memory.device_memory import limit_bytes

HOST = psutil.virtual_memory().total
FIRST = "12:cpu,cpuacct:/\n4:memory:/slurm/job 7\n0::/slurm/job 7\n"
SECOND = "0::/system.slice/llm-tracker.service\n"


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(control_groups, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(control_groups, "OWN_GROUPS", tmp_path / "own")
    return tmp_path


def write(folder: Path, own: str, limits: dict[str, str]) -> None:
    (folder / "own").write_text(own)
    for path, limit in limits.items():
        file = folder / "groups" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")


@pytest.mark.parametrize(
    ("own", "limits", "least"),
    [
        (SECOND, {"system.slice/llm-tracker.service/memory.max": "4000"}, 4000),
        (SECOND, {"system.slice/memory.max": "3000", "system.slice/llm-tracker.service/memory.max": "max"}, 3000),
        (SECOND, {"memory.max": "2000"}, 2000),
        (SECOND, {"other.slice/memory.max": "1000"}, HOST),
        (FIRST, {"memory/slurm/job 7/memory.limit_in_bytes": "5000", "memory/memory.limit_in_bytes": "9000"}, 5000),
        (FIRST, {"memory/memory.limit_in_bytes": str(2**63 - 4096)}, HOST),
        ("0::/../beside\n", {"memory.max": "max"}, HOST),
        ("", {}, HOST),
    ],
)
def test_the_lowest_limit_of_a_group_and_of_those_above_it_holds(
    own: str, limits: dict[str, str], least: int, groups: Path
) -> None:
    write(groups, own, limits)
    assert limit_bytes() == least


def test_a_system_without_control_groups_has_the_hosts_memory(groups: Path) -> None:
    assert not (groups / "own").exists()
    assert limit_bytes() == HOST


def test_a_limit_that_may_not_be_read_is_none_and_the_one_above_it_holds(groups: Path) -> None:
    write(groups, SECOND, {"system.slice/memory.max": "3000"})
    (groups / "groups/system.slice/llm-tracker.service/memory.max").mkdir(parents=True)  # reading it fails
    assert limit_bytes() == 3000
