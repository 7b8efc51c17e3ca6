"""How many workers read a study where nobody says."""

from __future__ import annotations

from typing import Any

import loky
import pytest
from small_cases import RECIPE, small
from small_studies import QUESTIONS, small_plan

import llm_tracker as lt
from llm_tracker.load_options import LoadOptions
from llm_tracker.studies import conduct
from llm_tracker.studies.engines import usual_workers as usual
from llm_tracker.studies.values.reading import read_questions

GB = 10**9
EMBEDDED = 134_515_008 * 4
"""What the built-in model's weights take in float32."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says what machine this is."""

    def of(n_cores: int, n_bytes: int, devices: tuple[str, ...] = ("cpu",)) -> None:
        monkeypatch.setattr(loky, "cpu_count", lambda: n_cores)
        monkeypatch.setattr(usual, "limit_bytes", lambda: n_bytes)
        monkeypatch.setattr(usual, "split_devices", lambda: list(devices))

    return of


def plan_of(n_blocks: int, model: str = "embedded", **changes: Any) -> Any:
    """A plan of so many blocks of one question."""
    questions = read_questions("questions").first(n_blocks)
    return small_plan(models=(model,), n_block=1, questions=questions, **changes)


@pytest.mark.parametrize(
    ("n_cores", "n_gigabytes", "n_blocks", "n_workers"),
    [
        (2, 24, 8, 2),
        (8, 64, 40, 8),
        (8, 64, 8, 4),  # two blocks for each
        (8, 64, 1, 1),
        (8, 8, 40, 3),  # 4.8 GB for weights of 0.54 and 0.8 besides
        (2, 2.7, 8, 1),  # Streamlit Community Cloud
        (2, 0.5, 8, 1),
    ],
)
def test_each_core_has_a_process_as_far_as_memory_and_work_go(
    machine: Any, n_cores: int, n_gigabytes: float, n_blocks: int, n_workers: int
) -> None:
    machine(n_cores, int(n_gigabytes * GB))
    assert int(0.6 * n_gigabytes * GB) // (EMBEDDED + usual.PROCESS_BYTES) >= n_workers or n_workers == 1
    assert usual.usual_workers(plan_of(n_blocks)) == n_workers


def test_half_the_bytes_a_weight_make_room_for_more(machine: Any) -> None:
    machine(8, 8 * GB)
    assert usual.usual_workers(plan_of(40, load=LoadOptions(dtype="bfloat16"))) == 4


@pytest.mark.parametrize(
    ("devices", "device", "n_workers"),
    [
        (("cuda:0", "cpu"), "auto", 1),
        (("cuda:0", "cpu"), "cuda:0", 1),
        (("cpu",), "split", 1),
        (("cuda:0", "cpu"), "cpu", 2),
    ],
)
def test_a_gpu_has_one_process(machine: Any, devices: tuple[str, ...], device: str, n_workers: int) -> None:
    machine(2, 24 * GB, devices)
    assert usual.usual_workers(plan_of(8, load=LoadOptions(device))) == n_workers


@pytest.mark.parametrize("model", ["nobody/has-this-model", "no such model"])
def test_a_model_whose_size_nobody_knows_has_one_process(machine: Any, model: str) -> None:
    machine(8, 64 * GB)
    assert usual.usual_workers(plan_of(8, model)) == 1


def node(n_cores: int, n_gigabytes: float, n_gpus: int = 0, alive: bool = True) -> dict[str, Any]:
    """A node as `ray.nodes()` has it."""
    gpus = {"GPU": float(n_gpus)} if n_gpus else {}
    return {"Alive": alive, "Resources": {"CPU": float(n_cores), "memory": n_gigabytes * GB, **gpus}}


@pytest.mark.parametrize(
    ("nodes", "device", "n_workers"),
    [
        ([node(8, 64), node(4, 2.7)], "auto", 10),  # 8 and 2
        ([node(8, 64), node(8, 64, alive=False)], "auto", 8),
        ([node(8, 64, 2), node(8, 64, 1)], "auto", 3),
        ([node(8, 64, 2)], "cpu", 8),
        ([node(4, 64, 8)], "auto", 4),  # a GPU without a core is none
        ([node(0, 64), node(2, 64)], "auto", 2),  # the head, that is to do no work itself
        ([node(64, 512)], "auto", 30),
    ],
)
def test_on_ray_each_gpu_has_a_worker_or_else_each_core(
    nodes: list[dict[str, Any]], device: str, n_workers: int
) -> None:
    assert usual.usual_on_ray(plan_of(60, load=LoadOptions(device)), nodes) == n_workers


def test_a_study_takes_as_many_as_usual_and_one_for_a_model_that_is_loaded_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def elsewhere(_plan: object, _tasks: object, n_workers: int, *_: object) -> Any:
        asked.append(n_workers)
        raise lt.Cancelled("enough")

    monkeypatch.setattr(conduct, "usual_workers", lambda _plan: 7)
    monkeypatch.setattr(conduct, "run_processes", elsewhere)
    with pytest.raises(lt.Cancelled):
        lt.study(QUESTIONS, ["tiny"], ["wrong"], recipe=RECIPE)
    assert asked == [7]
    assert len(lt.study(QUESTIONS, [small("llama").model], ["wrong"], recipe=RECIPE).rows) == 3 * len(QUESTIONS)
    assert asked == [7]
