"""What is named in a study: models, conditions, and the word that a text names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.wording.correction.conditions import CONDITION_LABELS

NAMED: Mapping[str, str] = {"foil": "the wrong word", "answer": "the right word"}

BOTH_NAMED = "both words"
"""Of a reader's own correction, beside those of it that name one: “It is {named}, not {answer}.”"""

LIMITS = (
    "All of this holds for these questions, in these wordings, asked of these models in this form. With other "
    "questions, or another model, it can come out differently: only asking there can tell."
)


FIRST: Mapping[str, str] = {"right": "right at first", "other": "not right at first"}


def group_label(group: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> str:
    """A condition among others, with what tells it from those of its name: the word named, or what was said first."""
    alike = [each for each in others if each["condition"] == group["condition"]]
    label = condition_label(group["condition"])
    if len({each["pushes"] for each in alike}) > 1:
        return f"{label} ({NAMED.get(group['pushes'], BOTH_NAMED)})"
    return f"{label} ({FIRST[group['first']]})" if len({each["first"] for each in alike}) > 1 else label


def condition_label(name: str) -> str:
    """A condition by name.

    A reader's own correction is “user”, or “user 2” where there are several (`by_question.with_direction`).
    """
    kind, _, number = name.partition(" ")
    own = f"your own correction{f' {number}' if number else ''}"
    return own if kind == "user" else CONDITION_LABELS[cast("ConditionName", name)]


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
