"""Blocks that wait for a worker: each worker stays at its model as long as that has any."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from llm_tracker.studies.values.plan import Task


class WaitingBlocks:
    """Blocks that nobody works on, by model."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._of: dict[int, deque[Task]] = {}
        for task in tasks:
            self._of.setdefault(task.model, deque()).append(task)

    def take(self, model: int | None, others: Sequence[int | None]) -> Task | None:
        """The next block for a worker that has loaded `model` while the others have theirs; None where there is none.

        Who has to load a model anew takes the one that fewest of the others have: so several models are shared out
        among the workers, and each is loaded by few of them.
        """
        waiting = [each for each, blocks in self._of.items() if blocks]
        if not waiting:
            return None
        return self._of[model if model in waiting else min(waiting, key=others.count)].popleft()

    def put_back(self, task: Task) -> None:
        """A block whose worker was lost is the next of its model."""
        self._of[task.model].appendleft(task)
