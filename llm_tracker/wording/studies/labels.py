"""What is named in a study: models, conditions, and the word that a text names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.wording.correction.conditions import CONDITION_LABELS

NAMED: Mapping[str, str] = {"foil": "the wrong word", "answer": "the right word"}

LIMITS = (
    "All of this holds for these questions, in these wordings, asked of these models in this form. With other "
    "questions, or another model, it can come out differently: only asking there can tell."
)


def condition_label(name: str, pushes: str = "", of_both: bool = False) -> str:
    """A condition by name; `of_both`: where it is there with each of the two words, which one it names.

    A reader's own correction is “user”, or “user 2” where there are several (`by_question.with_direction`).
    """
    kind, _, number = name.partition(" ")
    own = f"your own correction{f' {number}' if number else ''}"
    label = own if kind == "user" else CONDITION_LABELS[cast("ConditionName", name)]
    return f"{label} ({NAMED[pushes]})" if of_both and pushes else label


def model_label(model: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """What a model is called among others: its title, and as much more as tells it from those of the same title."""
    alike = [each for each in others if each["title"] == model["title"]]
    if len(alike) <= 1:
        return str(model["title"])
    dtypes = [each["dtype"] for each in alike]
    return f"{model['title']} ({model['dtype'] if len(set(dtypes)) == len(dtypes) else model['id']})"


def number_of(n: int, thing: str = "question") -> str:
    """How many there are, the thing in the singular or the plural: 1 question, 12 questions."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def all_of(n: int, thing: str) -> str:
    """All of several: the one case, both cases, all 12 cases."""
    return f"the one {thing}" if n == 1 else f"both {thing}s" if n == 2 else f"all {number_of(n, thing)}"
