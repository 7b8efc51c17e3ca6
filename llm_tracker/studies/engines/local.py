"""This machine: one worker in this process, or several processes that share its cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from threading import Thread

import psutil

from llm_tracker.errors import Cancelled, ModelError
from llm_tracker.languages.texts import later, say
from llm_tracker.progress import Report, silent
from llm_tracker.studies.engines.worker import Loads, Worker
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.rows import Found

STOPPED = later("Stopped. What was found so far is kept: the study can be gone on with.")

TRIES = 3
"""Times that processes may be lost one after another, without a block in between."""

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
            raise Cancelled(say(STOPPED))
        yield task, worker.run(task, stop)


def run_processes(
    plan: Plan,
    tasks: Sequence[Task],
    n_workers: int,
    stop: Callable[[], bool] = lambda: False,
    report: Report = silent,
) -> Iterator[tuple[Task, Found]]:
    """Read blocks in several processes, each with its model and its share of the cores, in the order they are done.

    Models are downloaded and converted here before that, once, with a `report`. Where a process is killed, all begin
    anew with the blocks that are left. Raises ModelError where that happens `TRIES` times without a block in between,
    Cancelled where `stop` says so, and what fetching, loading and reading do.
    """
    _fetch(plan, tasks, report)
    left, n_lost = list(tasks), 0
    while left:
        try:
            for task, found in _run_pool(plan, left, n_workers, stop):
                left.remove(task)
                n_lost = 0
                yield task, found
        except BrokenProcessPool as error:
            n_lost += 1
            if n_lost == TRIES:
                raise ModelError(
                    say(
                        "A worker was killed, {n} times one after another, for lack of memory as a rule. "
                        "What was found so far is kept: resume with fewer workers, or a smaller model.",
                        n=TRIES,
                    )
                ) from error


def _fetch(plan: Plan, tasks: Sequence[Task], report: Report) -> None:
    from llm_tracker.models.loading.load import fetch
    from llm_tracker.models.loading.resolve import find_entry

    for at in dict.fromkeys(task.model for task in tasks):
        entry = find_entry(plan.models[at])
        if entry.source != "plug-in":
            fetch(entry, report, plan.load.trust)


def _run_pool(
    plan: Plan, tasks: Sequence[Task], n_workers: int, stop: Callable[[], bool]
) -> Iterator[tuple[Task, Found]]:
    """Read blocks until all are done, or a process is lost: BrokenProcessPool."""
    # The standard library's spawned processes run the script that called, once more: a notebook's, a Streamlit page,
    # one without `if __name__ == "__main__"`. Forked ones share torch's threads, and hang. Loky's do neither.
    from loky import ProcessPoolExecutor, cpu_count

    threads = max(1, cpu_count() // n_workers)
    pool = ProcessPoolExecutor(n_workers, initializer=_begin, initargs=(plan, threads, os.getpid()))
    try:
        pending = {pool.submit(_run, task): task for task in tasks}
        while pending:
            done, _ = wait(pending, LOOK_SECONDS, FIRST_COMPLETED)
            if stop():
                raise Cancelled(say(STOPPED))
            for each in done:
                yield pending.pop(each), each.result()
    finally:
        pool.shutdown(kill_workers=True)


_own: list[Worker] = []
"""The worker of a process that has been started for a study."""


def _begin(plan: Plan, threads: int, parent: int) -> None:
    import torch

    Thread(target=_end_with, args=(psutil.Process(parent),), daemon=True).start()
    torch.set_num_threads(threads)
    _own[:] = [Worker(plan)]


def _end_with(parent: psutil.Process) -> None:
    """Do not outlive the process that asked: one that was killed can end nobody."""
    parent.wait()
    os._exit(1)


def _run(task: Task) -> Found:
    return _own[0].run(task)
