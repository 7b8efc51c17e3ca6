"""A study as text: a line for each condition, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_tracker.cli.plain_text import aligned
from llm_tracker.figures.studies.views import study_figures
from llm_tracker.languages.numbers import number
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.formats import percent
from llm_tracker.wording.studies.asked import limits_paragraphs
from llm_tracker.wording.studies.labels import NAMED, condition_label
from llm_tracker.wording.studies.sentences import interval, shift_of


def study_text(study: Study, made: Mapping[str, Any]) -> str:
    """What the command prints: the conditions as a table, and the sentences of the views."""
    parts = [_conditions(model, made) for model in study.models]
    parts += [f"{figure.title}: {figure.sentence}" for figure in study_figures(study, dict(made))]
    return "\n\n".join([*parts, *limits_paragraphs(study)])


def _conditions(model: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    own = [each for each in made["conditions"] if (each["model"], each["dtype"]) == (model["id"], model["dtype"])]
    header = [
        "condition",
        "names",
        "first answer",
        "n",
        "lead moved by, nats",
        "choice flips",
        "right before",
        "right after",
    ]
    rows = [_row(each) for each in own]
    return "\n".join([f"{model['title']} ({model['dtype']})", *aligned([header, *rows])])


def _row(condition: Mapping[str, Any]) -> list[str]:
    shift = shift_of(condition)
    return [
        condition_label(condition["condition"]),
        NAMED.get(condition["pushes"], ""),
        {"right": "right", "other": "not right", "": "any"}[condition["first"]],
        str(condition["n"]),
        "" if shift["value"] is None else f"{number(shift['value'], '+.2f')}{interval(shift)}",
        "" if condition["flip_rate"]["value"] is None else percent(condition["flip_rate"]["value"]),
        percent(condition["accuracy_before"]["value"]),
        percent(condition["accuracy"]["value"]),
    ]
