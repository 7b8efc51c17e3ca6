"""One worker of a study: it holds one model at a time, and reads block after block."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from llm_tracker.progress import Report, silent
from llm_tracker.studies.asking import form_of, require_room
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.rows import Found

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

Loads = Callable[[str], "LoadedModel"]


class Worker:
    """Reads the blocks of a plan, where all of its questions fit.

    `loads` says how a model is had, where it is not loaded by its name.
    """

    def __init__(self, plan: Plan, loads: Loads | None = None, report: Report = silent) -> None:
        self._plan = plan
        self._loads = loads or partial(_load, plan, report)
        self._model: LoadedModel | None = None
        self._at: int | None = None

    def run(self, task: Task, stop: Callable[[], bool] = lambda: False) -> Found:
        """Read one block. Raises what loading does, Cancelled where `stop` says so."""
        if self._model is None or self._at != task.model:
            self._model = None  # the one before goes first: there may be no room for two
            self._model, self._at = self._loads(self._plan.models[task.model]), task.model
            require_room(form_of(self._model, self._plan), self._plan)
        return read_block(self._model, self._plan, self._plan.questions_of(task), stop)


def _load(plan: Plan, report: Report, name: str) -> LoadedModel:
    from llm_tracker.models.loading.load import load

    return load(name, plan.load, report)
