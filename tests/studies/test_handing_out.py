"""How blocks go to Ray's workers, and what becomes of lost ones: with a Ray that has no processes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from llm_tracker.errors import InputError, ModelError
from llm_tracker.studies.conduct import make_plan
from llm_tracker.studies.engines.on_ray import run_on_ray
from llm_tracker.studies.engines.ray_cluster import Share, require_ray, share_of
from llm_tracker.studies.engines.waiting import WaitingBlocks
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.questions import Question, QuestionSet

FOUR = QuestionSet("four", tuple(Question(f"q{at}", f"What is {at}?", "one", "two") for at in range(4)))
PLAN = replace(make_plan(FOUR, ["a", "b"]), n_block=1)

Does = Callable[[str, int, Task | None], object]
"""What a worker does: “start” or “run”, its number, and its block. What it raises is raised by `ray.get`."""


def alive(cores: float = 0, gpus: float = 0, is_alive: bool = True) -> dict[str, Any]:
    return {"Alive": is_alive, "Resources": {"CPU": cores, "GPU": gpus, "memory": 1e9}}


@dataclass
class NoProcesses:
    """Stands for the module `ray`."""

    does: Does
    nodes_now: list[dict[str, Any]] = field(default_factory=lambda: [alive(2)])
    n_begun: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)

    def is_initialized(self) -> bool:
        return True

    def nodes(self) -> list[dict[str, Any]]:
        return self.nodes_now

    def remote(self, _kind: type) -> Any:
        return SimpleNamespace(options=self.options)

    def options(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return SimpleNamespace(remote=self.begin)

    def begin(self, _plan: Plan, _n_cores: int) -> Any:
        self.n_begun += 1
        number = self.n_begun
        return SimpleNamespace(
            number=number,
            ready=SimpleNamespace(remote=lambda: ("start", number, None)),
            run=SimpleNamespace(remote=lambda task: ("run", number, task)),
        )

    def wait(self, promises: Sequence[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        assert promises, "nothing is waited for, and not all is done"
        assert timeout <= 0.5
        ready = [promise for promise in promises if self.does(*promise) != "never"]
        return ready[:1], [promise for promise in promises if promise not in ready[:1]]

    def get(self, promise: tuple[str, int, Task | None]) -> object:
        said = self.does(*promise)
        if isinstance(said, Exception):
            raise said
        return said

    def kill(self, actor: Any) -> None:
        self.killed.append(actor.number)


@pytest.fixture
def lost() -> Exception:
    """What Ray says where a worker's process was killed, in its own words."""
    require_ray()
    from ray.exceptions import RayActorError

    said = "The actor died unexpectedly before finishing this task.\n\tpid: 7\nThe actor is dead because its worker "
    return RayActorError(error_msg=f"{said}process has died. Worker exit type: SYSTEM_ERROR.")


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[..., NoProcesses]:
    def put(does: Does, **fields: Any) -> NoProcesses:
        require_ray()
        ray = NoProcesses(does, **fields)
        monkeypatch.setitem(sys.modules, "ray", ray)
        return ray

    return put


def found(_what: str, number: int, task: Task | None) -> object:
    return None if task is None else (number, task)


def test_a_block_whose_worker_is_lost_is_done_by_the_one_that_takes_its_place(
    instead: Callable[..., NoProcesses], lost: Exception
) -> None:
    ray = instead(lambda what, at, task: lost if at == 1 and task == Task(0, 1) else found(what, at, task))
    rows = list(run_on_ray(PLAN, PLAN.tasks, 1))
    assert [task for task, _ in rows] == PLAN.tasks
    assert [number for _, (number, _) in rows] == [1] + [2] * 7
    assert ray.killed == [1, 2]


def test_a_block_that_loses_its_worker_three_times_is_named(
    instead: Callable[..., NoProcesses], lost: Exception
) -> None:
    ray = instead(lambda what, at, task: lost if task == Task(0, 2) else found(what, at, task))
    blocks = run_on_ray(PLAN, PLAN.tasks, 1)
    assert [next(blocks)[0], next(blocks)[0]] == PLAN.tasks[:2]
    with pytest.raises(ModelError) as given_up:
        next(blocks)
    assert "Block 3 of a (questions “q2” to “q2”) lost its worker 3 times" in str(given_up.value)
    assert "The actor is dead because its worker process has died. What was found" in str(given_up.value)
    assert ray.killed == [1, 2, 3]


def test_workers_that_cannot_start_are_told_with_the_reason(instead: Callable[..., NoProcesses]) -> None:
    require_ray()
    from ray.exceptions import RayActorError

    why = RayActorError(
        error_msg="The actor died.\nRuntimeError: …\nModuleNotFoundError: No module named 'llm_tracker'"
    )
    ray = instead(lambda *_: why)
    with pytest.raises(ModelError, match=r"could not be started.*No module named 'llm_tracker'\. What was found"):
        list(run_on_ray(PLAN, PLAN.tasks, 1))
    assert ray.n_begun == 3


def test_nobody_waits_for_a_worker_that_finds_no_place(instead: Callable[..., NoProcesses]) -> None:
    instead(lambda what, at, task: "never" if at == 2 else found(what, at, task))
    rows = list(run_on_ray(PLAN, PLAN.tasks, 2))
    assert {number for _, (number, _) in rows} == {1}
    assert {task for task, _ in rows} == set(PLAN.tasks)


def test_where_no_node_is_left_that_has_room_it_is_said(instead: Callable[..., NoProcesses], lost: Exception) -> None:
    """The first worker is lost with its node, and the second one never starts on the small one that is left."""

    def does(what: str, number: int, task: Task | None) -> object:
        if number == 2:
            return "never"
        if task == Task(0, 1):
            ray.nodes_now[:] = [alive(4, is_alive=False), alive(1)]
            return lost
        return found(what, number, task)

    ray = instead(does, nodes_now=[alive(4), alive(1)])
    blocks = run_on_ray(PLAN, PLAN.tasks, 1)
    assert next(blocks)[0] == Task(0, 0)
    with pytest.raises(ModelError, match=r"No node is left in the Ray cluster that has 4 cores, .* add a node"):
        list(blocks)


def test_an_idle_worker_takes_the_block_of_one_that_is_lost_and_not_replaced(
    instead: Callable[..., NoProcesses], lost: Exception
) -> None:
    """The third worker, in the second one's place, never starts."""

    def does(what: str, number: int, task: Task | None) -> object:
        return {2: lost if task else None, 3: "never"}.get(number, found(what, number, task))

    instead(does)
    rows = list(run_on_ray(PLAN, PLAN.tasks[:2], 2))
    assert {task: number for task, (number, _) in rows} == {Task(0, 0): 1, Task(0, 1): 1}


def test_each_worker_asks_ray_for_its_gpu_and_its_cores(instead: Callable[..., NoProcesses]) -> None:
    ray = instead(found, nodes_now=[alive(16, 4), alive(8)])
    list(run_on_ray(PLAN, PLAN.tasks, 2))
    assert [(asked["num_gpus"], asked["num_cpus"]) for asked in ray.asked] == [(1, 6)]


@pytest.mark.parametrize(
    ("nodes", "n_workers", "device", "share"),
    [
        ([alive(8)], 2, "auto", Share(4, 0)),
        ([alive(2)], 2, "auto", Share(1, 0)),
        ([alive(0), alive(2), alive(6)], 2, "auto", Share(3, 0)),  # 4 each would leave the second without a node
        ([alive(8), alive(8, is_alive=False)], 1, "auto", Share(8, 0)),
        ([alive(16, 4)], 1, "auto", Share(4, 1)),
        ([alive(16, 4)], 2, "cpu", Share(8, 0)),
        ([alive(4, 8)], 4, "auto", Share(1, 1)),  # fewer cores than GPUs
    ],
)
def test_workers_share_the_cores_that_one_node_can_give_each_of_them(
    nodes: list[dict[str, Any]], n_workers: int, device: str, share: Share
) -> None:
    assert share_of(nodes, n_workers, device) == share


@pytest.mark.parametrize(
    ("nodes", "device", "said"),
    [
        ([alive(2)], "auto", r"has 2 cores; 3 workers cannot share that\. Each needs 1 core "),
        ([alive(16, 2)], "auto", r"has 2 GPUs and 16 cores; 3 workers .* 1 GPU and 1 core "),
        ([alive(16, 2), alive(16, 2)], "cuda:1", r"The device is “cuda:1”"),
        ([alive(16, 4)], "split", r"The device is “split”"),
    ],
)
def test_what_a_cluster_cannot_give_is_refused(nodes: list[dict[str, Any]], device: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        share_of(nodes, 3, device)


def test_a_worker_stays_at_its_model_and_models_are_shared_out() -> None:
    waiting = WaitingBlocks([Task(model, block) for model in range(3) for block in range(2)])
    assert waiting.take(None, [None]) == Task(0, 0)
    assert waiting.take(None, [0]) == Task(1, 0)
    assert waiting.take(0, [1]) == Task(0, 1)
    assert waiting.take(0, [1]) == Task(2, 0)  # the first is done with, and the second has a worker
    waiting.put_back(Task(0, 0))
    assert waiting.take(2, [1]) == Task(2, 1)
    assert [waiting.take(1, [2]) for _ in range(3)] == [Task(1, 1), Task(0, 0), None]
