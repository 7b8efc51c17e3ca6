"""Where memory is short the system reads weights ahead; where it is not, they stay as well as all else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import llm_tracker as lt
from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.models.memory import mapped_weights


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tinyllama_like(tmp_path_factory.mktemp("with a space"))


def flags_of(file: Path) -> list[list[str]]:
    """How the system treats each mapping of a file, in its own letters: proc(5), VmFlags."""
    flags, is_wanted = [], False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line.endswith(str(file.resolve())):
            is_wanted = True
        elif is_wanted and line.startswith("VmFlags:"):
            flags.append(line.split()[1:])
            is_wanted = False
    return flags


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how it treats what is mapped")
@pytest.mark.parametrize("is_short", [True, False])
def test_weights_are_read_in_order_where_less_room_is_left_than_they_take(
    is_short: bool, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(mapped_weights, "has_room", lambda n_bytes: asked.append(n_bytes) or not is_short)
    model = lt.load_model(str(checkpoint), device="cpu")
    assert asked == [2 * model.weights_bytes]
    flags = flags_of(checkpoint / "model.safetensors")
    assert flags
    assert all(("sr" in each) == is_short for each in flags)


def test_a_system_that_does_not_say_what_is_mapped_is_left_alone(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_weights, "has_room", lambda _: False)
    monkeypatch.setattr(mapped_weights, "MAPS", tmp_path / "none")
    assert lt.load_model(str(checkpoint), device="cpu").proof.ok
