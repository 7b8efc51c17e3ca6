"""A visitor's study as far as it has come: it is kept in memory, and shown while more of it is coming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from llm_tracker.app.work.studying.wish import Wish
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.rows import Found

if TYPE_CHECKING:
    from llm_tracker.studies.values.study import Study

RESULT_BYTES, ROW_BYTES = 1800, 700
"""What a row of a block's results, and one of its other tables, take in memory, about."""

CHAIN_ROWS, INSIDE_ROWS, INSIDE_ROWS_A_LAYER = 6, 60, 7
"""Rows of a question besides its results, about: of the turns of pressure, and of a look inside."""


@dataclass(frozen=True, eq=False)
class StudySoFar:
    """A plan, and the blocks of it that are there."""

    plan: Plan
    wish: Wish
    """What was filled in for it."""
    blocks: Mapping[Task, Found] = field(default_factory=dict)
    seconds_left: float | None = None
    """About; None where nobody knows."""

    @cached_property
    def missing(self) -> tuple[Task, ...]:
        """What is still to be done, model by model."""
        return tuple(task for task in self.plan.tasks if task not in self.blocks)

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there."""
        return not self.missing

    @property
    def share(self) -> float:
        """What is done, in [0, 1]."""
        return len(self.blocks) / len(self.plan.tasks)

    @property
    def n_bytes(self) -> int:
        """What its rows take, about."""
        tables = [each for found in self.blocks.values() for each in found.tables.items()]
        return sum((RESULT_BYTES if name == "results" else ROW_BYTES) * len(rows) for name, rows in tables)

    def n_questions(self, model: int) -> int:
        """How many questions one of the models has been asked."""
        return sum(len(self.plan.questions_of(task)) for task in self.blocks if task.model == model)

    def of_model(self, model: int) -> dict[Task, Found]:
        """The blocks of one model, as those of a plan that has no other."""
        return {Task(0, task.block): found for task, found in self.blocks.items() if task.model == model}

    def pace(self, model_id: str) -> float | None:
        """Seconds that a model takes for each question and text; None of one that was not timed."""
        if model_id not in self.plan.models:
            return None
        own = {task: found for task, found in self.blocks.items() if self.plan.models[task.model] == model_id}
        n_texts = sum(len(self.plan.questions_of(task)) for task in own) * self.plan.n_rows
        return sum(found.seconds for found in own.values()) / n_texts if n_texts else None

    def seconds_of(self, plan: Plan) -> float | None:
        """About how long another plan takes; None where none like it was timed: of other parts, or another model."""
        if (plan.chain, plan.inside) != (self.plan.chain, self.plan.inside):
            return None
        paces = [self.pace(model_id) for model_id in plan.models]
        known = [pace for pace in paces if pace is not None]
        return sum(known) * len(plan.questions) * plan.n_rows if len(known) == len(paces) else None


def bytes_of(plan: Plan, n_layers: Sequence[int]) -> int:
    """What the rows of a study take once all is there, about; `n_layers` of each of its models."""
    inside = [INSIDE_ROWS + INSIDE_ROWS_A_LAYER * n if plan.inside else 0 for n in n_layers]
    others = sum(inside) + (CHAIN_ROWS * len(n_layers) if plan.chain else 0)
    return len(plan.questions) * (RESULT_BYTES * plan.n_rows * len(n_layers) + ROW_BYTES * others)


def study_of(found: StudySoFar) -> Study:
    """What there is so far as a study, whose tables are frames. At least one block has to be there."""
    from llm_tracker.studies.values.study import Study
    from llm_tracker.studies.values.tables import frames_of

    there = [task for task in found.plan.tasks if task in found.blocks]
    models = {task.model: found.blocks[task].model for task in reversed(there)}
    blocks = [found.blocks[task] for task in there]
    return Study(
        found.plan.record(),
        tuple(models[at] for at in sorted(models)),
        dict(blocks[-1].versions),
        frames_of(blocks),
    )
