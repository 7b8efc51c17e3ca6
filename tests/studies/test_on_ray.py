"""Studies on real Ray clusters: the same rows as in this process, also where a worker or a node is lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Timer
from typing import Any

import psutil
import pytest
from tiny_models import tiny_network, tiny_tokenizer

from llm_tracker.errors import Cancelled, InputError, ModelNotFoundError
from llm_tracker.studies.conduct import make_plan
from llm_tracker.studies.engines.local import run_here
from llm_tracker.studies.engines.on_ray import run_on_ray
from llm_tracker.studies.engines.ray_cluster import require_ray
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.questions import Question, QuestionSet
from llm_tracker.studies.values.rows import Found

SEVEN = QuestionSet("seven", tuple(Question(f"q{at}", f"What is {at}?", "one", "two") for at in range(7)))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tiny_network("llama").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def plan(checkpoint: str) -> Plan:
    return replace(make_plan(SEVEN, [checkpoint], ["right", "wrong"]), n_block=1)


@pytest.fixture(scope="module")
def here(plan: Plan) -> dict[Task, Found]:
    return dict(run_here(plan, plan.tasks))


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster that somebody else began: a head without cores, and a node with two."""
    assert "RAY_ADDRESS" not in os.environ
    require_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.add_node(num_cpus=2)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def joined(nodes: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    return nodes


def rows_of(found: Mapping[Task, Found]) -> list[dict[str, Any]]:
    """All rows in the plan's order, without how long each took."""
    tasks = sorted(found, key=lambda task: (task.model, task.block))
    rows = [row for task in tasks for row in found[task].tables["results"]]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def each_once(blocks: Iterable[tuple[Task, Found]]) -> dict[Task, Found]:
    """All blocks of a run."""
    found: dict[Task, Found] = {}
    for task, block in blocks:
        assert task not in found
        found[task] = block
    return found


def assert_same(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    """Texts and grades are the same; numbers to 5e-5, as the number of threads may sum them in another order."""
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        assert row == {
            name: pytest.approx(value, abs=5e-5) if isinstance(value, float) else value for name, value in other.items()
        }


def workers() -> list[psutil.Process]:
    """The workers' processes that this one's clusters have now."""
    return [each for each in psutil.Process().children(recursive=True) if "RayWorker" in title(each)]


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def killed_soon(workers: list[psutil.Process]) -> Timer:
    """Stop workers where they are, to be killed in a second."""

    def kill() -> None:
        for worker in workers:
            worker.kill()

    for worker in workers:
        worker.suspend()
    timer = Timer(1, kill)
    timer.start()
    return timer


def test_where_workers_are_killed_each_row_is_found_once_and_the_same(
    joined: Any, plan: Plan, here: dict[Task, Found], capfd: pytest.CaptureFixture[str]
) -> None:
    """All that have begun are: of two, one may still be starting, without a block, and would be missed by nobody."""
    blocks = run_on_ray(plan, plan.tasks, 2)
    first = next(blocks)
    kill = killed_soon(workers())
    found = each_once(chain([first], blocks))
    assert kill.finished.is_set()
    assert capfd.readouterr() == ("", "")
    assert found.keys() == set(plan.tasks)
    assert_same(rows_of(found), rows_of(here))


@pytest.mark.soak
def test_a_node_that_is_lost_costs_no_row(joined: Any, plan: Plan, here: dict[Task, Found]) -> None:
    """A worker of three cores fits the added nodes alone."""
    nodes = [joined.add_node(num_cpus=3)]
    blocks = run_on_ray(plan, plan.tasks, 1)
    first = next(blocks)
    nodes.append(joined.add_node(num_cpus=3))
    joined.remove_node(nodes.pop(0))
    found = each_once(chain([first], blocks))
    assert found.keys() == set(plan.tasks)
    assert_same(rows_of(found), rows_of(here))
    joined.remove_node(nodes.pop())


def test_a_model_that_cannot_be_loaded_is_told_as_in_this_process(joined: Any, plan: Plan, tmp_path: Path) -> None:
    two = replace(plan, models=(*plan.models, str(tmp_path / "nowhere")))
    with pytest.raises(ModelNotFoundError) as here:
        list(run_here(two, [Task(1, 0)]))
    blocks = run_on_ray(two, [Task(0, 0), Task(1, 0)], 1)
    assert next(blocks)[0] == Task(0, 0)
    with pytest.raises(ModelNotFoundError) as there:
        next(blocks)
    assert type(there.value) is ModelNotFoundError
    assert str(there.value) == str(here.value)


def test_a_study_that_is_stopped_lets_its_workers_go_and_leaves_the_cluster(joined: Any, plan: Plan) -> None:
    said: list[bool] = []
    blocks = run_on_ray(plan, plan.tasks, 1, lambda: bool(said))
    next(blocks)
    assert workers()
    said.append(True)
    with pytest.raises(Cancelled, match="can be gone on with"):
        next(blocks)
    psutil.wait_procs(workers(), timeout=30)
    assert not workers()
    assert joined.head_node.any_processes_alive()


def test_more_workers_than_cores_are_refused_with_the_figures(joined: Any, plan: Plan) -> None:
    with pytest.raises(InputError, match="The Ray cluster has 2 cores; 3 workers cannot") as refused:
        next(run_on_ray(plan, plan.tasks, 3))
    assert refused.value.parameters == ("workers",)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:9", "No Ray cluster can be used at .*: .*Connection refused. Start one"),
        ("nowhere", "No Ray cluster can be used at .* Start one"),
        ("127.0.0.1:port", "is no address. Write it as host:port"),
    ],
)
def test_an_address_without_a_cluster_is_told_at_once(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(InputError, match=f"RAY_ADDRESS={address}.*") as refused:
        next(run_on_ray(plan, plan.tasks, 1))
    assert re.search(why, str(refused.value))


def test_without_ray_the_command_that_installs_it_is_said(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r'pip install "llm-inference-tracker\[ray\]"'):
        next(run_on_ray(plan, plan.tasks, 1))


def test_nothing_to_do_needs_no_ray(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert list(run_on_ray(plan, [], 1)) == []


ALONE = """
import json, os, sys
import psutil
import llm_tracker as lt
from llm_tracker.studies import conduct
from llm_tracker.studies.engines import local, worker
assert "ray" not in sys.modules
model, questions, out = sys.argv[1:]
listening = set()

def see(progress):
    for process in psutil.Process().children(recursive=True):
        listening.update(each.laddr.ip for each in process.net_connections() if each.status == "LISTEN")

found = conduct.study(questions, [model], ["right"], out=out, engine="ray", see=see)
import ray
left = [each.name() for each in psutil.Process().children(recursive=True)]
print(json.dumps([sorted(listening), ray.is_initialized(), left, len(found.rows)]))
"""


def test_without_an_address_a_cluster_is_begun_on_loopback_and_put_away_again_in_silence(
    checkpoint: str, tmp_path: Path
) -> None:
    (tmp_path / "two.csv").write_text("question,answer,foil\nWhat is 1?,one,two\nWhat is 2?,two,one\n")
    command = [sys.executable, "-c", ALONE, checkpoint, str(tmp_path / "two.csv"), str(tmp_path / "out")]
    at_home = {**os.environ, "HOME": str(tmp_path)}  # where Ray keeps the token of its clusters
    done = subprocess.run(command, env=at_home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    listening, is_initialized, left, n_rows = json.loads(done.stdout)
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}
    assert (is_initialized, left) == (False, [])
    assert n_rows == 2 * 3
    assert (tmp_path / "out" / "results.parquet").is_file()
