"""Ray: a worker for each device, on this machine or on any cluster; a worker that is lost costs no row.

One block of questions at a time goes to each idle worker. Its rows come back to this process, which alone writes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llm_tracker.errors import Cancelled, ModelError
from llm_tracker.languages.texts import say
from llm_tracker.studies.engines.local import LOOK_SECONDS, STOPPED
from llm_tracker.studies.engines.ray_cluster import Share, cluster, share_of
from llm_tracker.studies.engines.usual_workers import usual_on_ray
from llm_tracker.studies.engines.waiting import WaitingBlocks
from llm_tracker.studies.engines.worker import Worker
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.rows import Found

TRIES = 3
"""How often a block is handed out, and a worker started, before it is given up."""


def run_on_ray(
    plan: Plan, tasks: Sequence[Task], n_workers: int | None, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Task, Found]]:
    """Read blocks on Ray, in the order they are done: on the cluster of RAY_ADDRESS, else on this machine.

    Without `n_workers`, they are as many as the cluster's nodes have GPUs, or cores and room, for (`usual_on_ray`).

    Raises InputError where Ray is missing or has not so many devices, ModelError for a block whose worker was lost
    three times, Cancelled where `stop` says so, and what loading and reading do.
    """
    if not tasks:
        return
    with cluster() as ray:
        n_workers = n_workers or usual_on_ray(plan, ray.nodes())
        share = share_of(ray.nodes(), n_workers, plan.load.device_name)
        crew = _Crew(ray, plan, share, tasks)
        try:
            yield from crew.run(min(n_workers, len(tasks)), stop)
        finally:
            crew.end()


class RayWorker:
    """A worker in a process of Ray's."""

    def __init__(self, plan: Plan, n_cores: int) -> None:
        import torch

        torch.set_num_threads(n_cores)
        self._worker = Worker(plan)

    def ready(self) -> None:
        """Answered as soon as the process is there, and has imported all that it needs."""

    def run(self, task: Task) -> Found:
        """Read one block."""
        return self._worker.run(task)


@dataclass(eq=False)
class _Seat:
    """A worker's place: when one is lost, another takes it."""

    actor: Any = None
    model: int | None = None
    """What its worker has loaded."""
    task: Task | None = None
    """What it works on; None while it starts, or is idle."""
    n_failed: int = 0
    """Starts, one after another, that came to nothing."""


class _Crew:
    """The workers of one run, and what each of them does."""

    def __init__(self, ray: Any, plan: Plan, share: Share, tasks: Sequence[Task]) -> None:
        self._ray, self._plan, self._share = ray, plan, share
        self._waiting, self._n_left = WaitingBlocks(tasks), len(tasks)
        self._n_lost: Counter[Task] = Counter()
        self._seats: list[_Seat] = []
        self._pending: dict[Any, _Seat] = {}
        self._kind = ray.remote(RayWorker).options(
            num_cpus=share.n_cores, num_gpus=share.n_gpus, max_restarts=0, max_task_retries=0
        )

    def run(self, n_workers: int, stop: Callable[[], bool]) -> Iterator[tuple[Task, Found]]:
        """Start workers, and hand out blocks until all are done."""
        self._seats = [_Seat() for _ in range(n_workers)]
        for seat in self._seats:
            self._start(seat)
        while self._n_left:
            done, _ = self._ray.wait(list(self._pending), timeout=LOOK_SECONDS)
            if stop():
                raise Cancelled(say(STOPPED))
            if not done:
                self._require_room()
            for promise in done:
                task, found = self._take(promise)
                self._hand_out()  # before the rows are written down: nobody waits for that
                if task is not None and found is not None:
                    self._n_left -= 1
                    yield task, found

    def end(self) -> None:
        """Let all workers go, whatever they do."""
        for seat in self._seats:
            self._dismiss(seat)

    def _start(self, seat: _Seat) -> None:
        seat.actor, seat.model, seat.task = self._kind.remote(self._plan, self._share.n_cores), None, None
        self._pending[seat.actor.ready.remote()] = seat

    def _dismiss(self, seat: _Seat) -> None:
        if seat.actor is not None:
            self._ray.kill(seat.actor)
            seat.actor = None

    def _hand_out(self) -> None:
        """Give each idle worker a block, as long as there are any."""
        busy = set(self._pending.values())
        for seat in self._seats:
            if seat in busy:
                continue
            task = self._waiting.take(seat.model, [other.model for other in self._seats if other is not seat])
            if task is None:
                return
            seat.model, seat.task = task.model, task
            self._pending[seat.actor.run.remote(task)] = seat

    def _take(self, promise: Any) -> tuple[Task | None, Found | None]:
        """What a worker has done; nothing, where it only has started, or was lost."""
        from ray.exceptions import RayError, RayTaskError

        seat = self._pending.pop(promise)
        try:
            found: Found | None = self._ray.get(promise)
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:
            self._replace(seat, str(error))
            return None, None
        task, seat.task, seat.n_failed = seat.task, None, 0
        return task, found

    def _replace(self, seat: _Seat, why: str) -> None:
        """Put another worker where one was lost, and its block back. Raises ModelError where that is of no use."""
        if seat.task is None:
            seat.n_failed += 1
            if seat.n_failed == TRIES:
                raise ModelError(
                    say(
                        "A Ray worker could not be started, {n} times one after another: {why} What was "
                        "found so far is kept. Each node needs this package, with the same versions of Python "
                        "and Ray.",
                        n=TRIES,
                        why=_reason(why),
                    )
                )
        else:
            self._n_lost[seat.task] += 1
            if self._n_lost[seat.task] == TRIES:
                raise ModelError(self._given_up(seat.task, why))
            self._waiting.put_back(seat.task)
        self._dismiss(seat)
        self._start(seat)

    def _given_up(self, task: Task, why: str) -> str:
        questions = self._plan.questions_of(task)
        return say(
            "Block {block} of {model} (questions “{first}” to “{last}”) lost its worker {n} times, for lack of memory "
            "as a rule: {why} What was found so far is kept: resume with fewer workers, or a smaller model.",
            block=task.block + 1,
            model=self._plan.models[task.model],
            first=questions[0].id,
            last=questions[-1].id,
            n=TRIES,
            why=_reason(why),
        )

    def _require_room(self) -> None:
        """Raise ModelError where all workers wait for a place, and no node that is left could ever have one."""
        waits = all(seat.task is None for seat in self._pending.values())
        if waits and self._share.places(self._ray.nodes()) == 0:
            raise ModelError(
                say(
                    "No node is left in the Ray cluster that has {share}, as each worker needs. What was found "
                    "so far is kept: add a node, and resume.",
                    share=self._share,
                )
            )


def _reason(said: str) -> str:
    """The sentence of Ray's account of a loss that says what happened."""
    lines = said.strip().splitlines() or [say("Ray does not say why.")]
    return lines[-1].split(". ")[0].strip().rstrip(".")[:200] + "."
