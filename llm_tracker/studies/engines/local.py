"""This machine: one worker in this process, or several processes that share its cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from llm_tracker.errors import Cancelled, ModelError
from llm_tracker.progress import Report, silent
from llm_tracker.studies.engines.worker import Loads, Worker
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.rows import Found

STOPPED = "Stopped. What was found so far is kept: the study can be gone on with."

LOOK_SECONDS = 0.5
"""How often it is looked whether to stop, while other processes work."""


def run_here(
    plan: Plan,
    tasks: Sequence[Task],
    stop: Callable[[], bool] = lambda: False,
    loads: Loads | None = None,
    report: Report = silent,
) -> Iterator[tuple[Task, Found]]:
    """Read blocks one after another in this process. Raises Cancelled where `stop` says so."""
    worker = Worker(plan, loads, report)
    for task in tasks:
        if stop():
            raise Cancelled(STOPPED)
        yield task, worker.run(task, stop)


def run_processes(
    plan: Plan, tasks: Sequence[Task], n_workers: int, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Task, Found]]:
    """Read blocks in several processes, each with its model and its share of the cores, in the order they are done.

    Raises Cancelled where `stop` says so, ModelError where a process is killed, for lack of memory as a rule.
    """
    threads = max(1, (os.cpu_count() or 1) // n_workers)
    context = get_context("spawn")  # a forked process would share torch's threads, and hang
    with ProcessPoolExecutor(n_workers, context, initializer=_begin, initargs=(plan, threads)) as pool:
        pending = {pool.submit(_run, task): task for task in tasks}
        try:
            while pending:
                done, _ = wait(pending, LOOK_SECONDS, FIRST_COMPLETED)
                if stop():
                    raise Cancelled(STOPPED)
                yield from ((pending.pop(each), _result(each)) for each in done)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(future: Future[Found]) -> Found:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise ModelError(
            "A worker was killed, for lack of memory as a rule. What was found so far is kept: resume with fewer "
            "workers, or a smaller model."
        ) from error


_own: list[Worker] = []
"""The worker of a process that has been started for a study."""


def _begin(plan: Plan, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    _own[:] = [Worker(plan)]


def _run(task: Task) -> Found:
    return _own[0].run(task)
