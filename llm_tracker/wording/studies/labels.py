"""What is named in a study: models, conditions, and what a text pushes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.wording.correction.conditions import CONDITION_LABELS

PUSHED: Mapping[str, str] = {"foil": "names the wrong word", "answer": "names the right word", "": ""}

LIMITS = (
    "All of it holds for these questions, these wordings and these models, in this form of asking. The questions are "
    "few and easy; what another model does, or another set of questions, has to be asked there."
)


def condition_label(name: str, pushes: str = "", of_both: bool = False) -> str:
    """A condition by name; `of_both`: where it is there with each of the two words, which one it pushes."""
    label = "a correction of your own" if name == "user" else CONDITION_LABELS[cast("ConditionName", name)]
    return f"{label}, {PUSHED[pushes]}" if of_both and pushes else label


def model_label(model: Any, others: Any) -> str:
    """What a model is called among others: its title; with its number format where the same is there in two."""
    title = str(model["title"])
    is_alone = sum(str(each["title"]) == title for each in others) == 1
    return title if is_alone else f"{title} ({model['dtype']})"
