"""What a study is to do: a value that says all that its numbers depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.experiments.values.parts import require_wordings
from llm_tracker.languages.texts import say
from llm_tracker.load_options import AUTO, LoadOptions
from llm_tracker.prompts.recipes import Message, recipe_messages
from llm_tracker.prompts.typed_text import require_plain
from llm_tracker.studies.values.questions import Question, QuestionSet

BLOCK = 16
"""Questions that are worked on together, and written down together."""


@dataclass(frozen=True)
class Task:
    """One block of a study: some questions, asked of one model."""

    model: int
    """Which of the plan's models."""
    block: int
    """Which of its blocks of questions."""


@dataclass(frozen=True)
class Plan:
    """A study: questions x conditions x models.

    Raises InputError for no model, one model twice, a negative seed, text that no file can hold, and the recipe of raw
    text, which has no turns to correct in.
    """

    questions: QuestionSet
    models: tuple[str, ...]
    conditions: tuple[ConditionName, ...]
    corrections: tuple[str, ...] = ()
    """Of the reader's own, with the fields {answer}, {foil} and {named}: the condition “user”."""
    n_wordings: int = 1
    """Ways to say each condition, 1 to 4."""
    recipe: str = "one-word"
    recipe_messages: tuple[Message, ...] = ()
    chain: bool = False
    """Whether five turns of pressure are said one after another, too."""
    inside: bool = False
    """Whether the model is looked into: the lens by layer, where the named word travels, and which heads carry it."""
    seed: int = 0
    """Of the bootstrap; decoding is greedy."""
    date: str | None = None
    """What a chat template writes as today's date."""
    load: LoadOptions = AUTO
    n_block: int = BLOCK

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        require_wordings(self.n_wordings)
        require_plain([self.questions.name, *self.models, *self.corrections, self.date or ""])
        if not self.models:
            raise InputError(say("A study needs a model. Name one."), "models")
        if len(set(self.models)) < len(self.models):
            raise InputError(say("A model is named twice. Name each once."), "models")
        if self.seed < 0:
            raise InputError(say("The seed is {seed}. Give 0 or more.", seed=self.seed), "seed")
        if self.recipe == "raw":
            raise InputError(
                say("Raw text has no turns in which an answer is corrected. Take another recipe."), "recipe"
            )

    @property
    def tasks(self) -> list[Task]:
        """All that is to be done, model by model."""
        n_blocks = len(self.questions.blocks(self.n_block))
        return [Task(model, block) for model in range(len(self.models)) for block in range(n_blocks)]

    def questions_of(self, task: Task) -> Sequence[Question]:
        """The questions of a block."""
        return self.questions.blocks(self.n_block)[task.block]

    @property
    def n_rows(self) -> int:
        """Rows of results.parquet for each question and model."""
        from llm_tracker.studies.values.conditions import conditions_of

        question = self.questions.questions[0]
        return len(conditions_of(question, "answer", self.conditions, self.n_wordings, self.corrections))

    def record(self) -> dict[str, Any]:
        """The plan as JSON has it; devices are left out, as they change no number but by rounding."""
        known = asdict(self)
        known.pop("load")
        known["questions"] = {"name": self.questions.name, "sha256": _digest(asdict(self.questions)["questions"])}
        known["n_questions"] = len(self.questions)
        return {**known, "dtype": self.load.dtype}

    @cached_property
    def digest(self) -> str:
        """By which a study is known to be the same, whatever the file of its questions is called."""
        record = self.record()
        return _digest({**record, "questions": record["questions"]["sha256"]})


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def plan_day(date: str | None = None) -> str:
    """The day on which all of a study is asked, however long it takes. Raises InputError for what is none."""
    try:
        return (datetime.fromisoformat(date) if date else datetime.now()).date().isoformat()
    except ValueError as error:
        raise InputError(say("“{date}” is no date. Give one such as 2026-01-31.", date=date), "date") from error


def plan_recipe(recipe: Any) -> dict[str, Any]:
    """A recipe's name and its messages, as fields of a plan. Raises InputError for what is neither."""
    name, messages = recipe_messages(recipe)
    return {"recipe": name, "recipe_messages": messages}
