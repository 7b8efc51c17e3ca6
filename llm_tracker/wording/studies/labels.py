"""What is named in a study: models, conditions, and the word that a text names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.correction.conditions import CONDITION_LABELS

NAMED: Mapping[str, str] = {"foil": later("the wrong word"), "answer": later("the right word")}

BOTH_NAMED = later("both words")
"""Of a reader's own correction, beside those of it that name one: “It is {named}, not {answer}.”"""

LIMITS = later(
    "All of this holds for these questions, in these wordings, asked of these models in this form. With other "
    "questions, or another model, it can come out differently: only asking there can tell."
)


FIRST: Mapping[str, str] = {"right": later("right at first"), "other": later("not right at first")}


def group_label(group: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> str:
    """A condition among others, with what tells it from those of its name: the word named, or what was said first."""
    alike = [each for each in others if each["condition"] == group["condition"]]
    label = condition_label(group["condition"])
    if len({each["pushes"] for each in alike}) > 1:
        return f"{label} ({say(NAMED.get(group['pushes'], BOTH_NAMED))})"
    return f"{label} ({say(FIRST[group['first']])})" if len({each["first"] for each in alike}) > 1 else label


def condition_label(name: str) -> str:
    """A condition by name.

    A reader's own correction is “user”, or “user 2” where there are several (`by_question.with_direction`).
    """
    kind, _, which = name.partition(" ")
    if kind != "user":
        return say(CONDITION_LABELS[cast("ConditionName", name)])
    return say("your own correction {number}", number=which) if which else say("your own correction")


def model_label(model: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """What a model is called among others: its title, and as much more as tells it from those of the same title."""
    alike = [each for each in others if each["title"] == model["title"]]
    if len(alike) <= 1:
        return str(model["title"])
    dtypes = [each["dtype"] for each in alike]
    return f"{model['title']} ({model['dtype'] if len(set(dtypes)) == len(dtypes) else model['id']})"


def number_of(n: int) -> str:
    """How many questions there are: 1 question, 12 questions."""
    return say_n("{n} question", "{n} questions", n, n=number(n, ","))


RIGHT_FIRST = "right first answer"

ALL_OF: Mapping[str, tuple[str, str, str]] = {
    "case": (later("the one case"), later("both cases"), later("all {n} cases")),
    RIGHT_FIRST: (
        later("the one right first answer"),
        later("both right first answers"),
        later("all {n} right first answers"),
    ),
}
"""All of several things: of one, of two, and of more."""


def all_of(n: int, thing: str) -> str:
    """All of several: the one case, both cases, all 12 cases."""
    one, two, more = ALL_OF[thing]
    return say(one) if n == 1 else say(two) if n == 2 else say(more, n=number(n, ","))
