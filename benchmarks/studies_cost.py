"""`python -m benchmarks.studies_cost`: how a study scales with its workers, and what any number of rows costs then."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llm_tracker.progress import ended
from llm_tracker.studies.conduct import EngineName, make_plan, stream_study
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.reading import read_questions


@dataclass(frozen=True)
class Cost:
    """What a study costs."""

    seconds: float
    """From the command to the last row."""
    worker_seconds: float
    """Of all workers together: what is paid for."""
    bytes: float
    """In the study's folder."""


def cost(n_rows: int, seconds_per_row: float, n_workers: int, load_seconds: float, bytes_per_row: float) -> Cost:
    """The cost of so many rows, spread evenly.

    `seconds_per_row` are those of one worker while the others work too, `load_seconds` those in which each worker
    starts and loads its models, `bytes_per_row` those of the parts and of what is put together from them.
    """
    seconds = load_seconds + n_rows * seconds_per_row / n_workers
    return Cost(seconds, seconds * n_workers, n_rows * bytes_per_row)


@dataclass(frozen=True)
class Run:
    """One study, measured."""

    n_workers: int
    n_rows: int
    seconds: float
    """From the start to the last row."""
    busy_seconds: float
    """In blocks, of all workers together."""
    bytes: int
    """In its folder."""

    @property
    def seconds_per_row(self) -> float:
        """Of one worker."""
        return self.busy_seconds / self.n_rows

    @property
    def load_seconds(self) -> float:
        """Of each worker, outside of its blocks: starting, loading, and waiting for the last of the others."""
        return self.seconds - self.busy_seconds / self.n_workers

    @property
    def rows_per_second(self) -> float:
        """Of all workers together, once they have loaded."""
        return self.n_workers / self.seconds_per_row


def measure(plan: Plan, engine: EngineName, n_workers: int, cores_each: int | None = None) -> Run:
    """Run a study in a folder that goes away again; on Ray with so many cores for each worker, if that is said."""
    busy: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        began = time.monotonic()
        with _cluster_of(n_workers * cores_each if cores_each else None):
            steps = stream_study(
                plan, str(out), engine, n_workers, keep=lambda _task, found: busy.append(found.seconds)
            )
            found = ended(steps)
        seconds = time.monotonic() - began
        n_bytes = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    return Run(n_workers, len(found.rows), seconds, sum(busy), n_bytes)


@contextmanager
def _cluster_of(n_cores: int | None) -> Iterator[None]:
    """A Ray cluster of so many cores, as the studies would begin one of all; none where that is not said."""
    if n_cores is None:
        yield
        return
    from llm_tracker.studies.engines.ray_cluster import require_ray

    ray = require_ray()
    ray.init("local", num_cpus=n_cores, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def table(runs: Sequence[Run]) -> str:
    """Runs as a Markdown table, held against the first."""
    head = (
        "| workers | rows | seconds | s a row, one worker | rows a second | over the first | s to load | bytes a row |"
    )
    lines = [
        f"| {run.n_workers} | {run.n_rows:,} | {run.seconds:.1f} | {run.seconds_per_row:.4f} "
        f"| {run.rows_per_second:.2f} | {run.rows_per_second / runs[0].rows_per_second:.2f} "
        f"| {run.load_seconds:.1f} | {run.bytes / run.n_rows:.0f} |"
        for run in runs
    ]
    return "\n".join([head, "|---" * 8 + "|", *lines])


def cost_table(run: Run, n_rows: int, workers: Sequence[int]) -> str:
    """What so many rows cost at the pace of a run, with other numbers of such workers."""
    head = "| workers | hours | worker hours | GB |"
    costs = [(n, cost(n_rows, run.seconds_per_row, n, run.load_seconds, run.bytes / run.n_rows)) for n in workers]
    lines = [
        f"| {n} | {of.seconds / 3600:.1f} | {of.worker_seconds / 3600:.1f} | {of.bytes / 1e9:.2f} |" for n, of in costs
    ]
    return "\n".join([head, "|---|---|---|---|", *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure with each number of workers, and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies_cost", description=__doc__)
    parser.add_argument("--model", default="embedded", help="catalogue id, hub id or directory; default: embedded")
    parser.add_argument("--file", default="questions", help="of questions; default: our own")
    parser.add_argument("--first", type=int, default=64, help="so many of them; default: 64, four blocks")
    parser.add_argument("--engine", default="local", choices=["local", "ray"])
    parser.add_argument("--workers", type=int, action="append", help="repeatable; default: 1 and 2")
    parser.add_argument("--cores-each", type=int, help="on Ray: cores of each worker; default: all cores shared out")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the second table; default: 1,000,000")
    parser.add_argument("--for", type=int, action="append", dest="of", help="workers of that; default: 1, 2, 8 and 64")
    args = parser.parse_args(arguments)
    plan = make_plan(read_questions(args.file).first(args.first), [args.model])
    runs = [measure(plan, args.engine, n, args.cores_each) for n in args.workers or (1, 2)]
    print(table(runs))
    print(f"\n{args.rows:,} rows at the pace of the last:\n")
    print(cost_table(runs[-1], args.rows, args.of or (1, 2, 8, 64)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
