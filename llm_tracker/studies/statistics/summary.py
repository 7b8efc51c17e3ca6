"""summary.json: by model and condition how often the choice flips, margins and sensitivities with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd

from llm_tracker.studies.statistics.by_question import GROUP, by_question, first_wordings, with_direction
from llm_tracker.studies.statistics.intervals import Estimate, adjusted, mean, rate, sign_test
from llm_tracker.studies.values.rows import Record
from llm_tracker.studies.values.study import Study

SCHEMA = 1

TRANSITIONS = ("cc", "ci", "ic", "ii", "other")


def summary(study: Study, held_out: bool | None = None) -> Record:
    """All of it as JSON has it. With `held_out`: of the questions that are kept apart, or of the others alone.

    Means are over questions, of all wordings; rates and transitions are of each condition's first wording, whose answer
    is one answer. A control moves nothing and flips nothing: null, unless it was asked in other wordings, too.
    `sign_test_q` is `sign_test_p` adjusted for all the conditions that are tested together.
    """
    rows, seed = kept(study.rows, held_out), int(study.plan.get("seed", 0))
    conditions = list(_conditions(rows, seed))
    tested = [record for record in conditions if record["condition"] not in ("baseline", "asked_again")]
    for record, q_value in zip(tested, adjusted([each["sign_test_p"] for each in tested]), strict=True):
        record["sign_test_q"] = q_value
    return {
        "schema": SCHEMA,
        "plan": dict(study.plan),
        "models": [dict(model) for model in study.models],
        "versions": dict(study.versions),
        "seed": seed,
        "n_questions": int(rows["question_id"].nunique()),
        "conditions": conditions,
        "verdict_effect": [effect for own in _by_model(rows) for effect in _verdict_effects(own, seed)],
    }


def kept(rows: pd.DataFrame, held_out: bool | None) -> pd.DataFrame:
    """The rows of the held-out questions, of the others, or of all."""
    return rows if held_out is None else rows[rows["held_out"] == held_out]


def _by_model(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for _, own in rows.groupby(["model", "dtype"], sort=False):
        yield own


def _conditions(rows: pd.DataFrame, seed: int) -> Iterator[Record]:
    questions, firsts = by_question(rows), first_wordings(rows)
    spreads = _spreads(rows)
    for key, own in questions.groupby(GROUP, sort=False):
        first = firsts[(firsts[GROUP] == list(key)).all(axis=1)]
        yield dict(zip(GROUP, key, strict=True)) | _condition(own, first, seed) | spreads[key]


def _condition(own: pd.DataFrame, first: pd.DataFrame, seed: int) -> Record:
    was_ahead = first[first["truth_margin"] > 0]
    counts = first["transition"].value_counts()
    return {
        "n": len(own),
        "flip_rate": as_record(rate(first["flipped"])),
        "flip_rate_of_right": as_record(rate(was_ahead["flipped"])),
        "margin": as_record(mean(own["margin"], seed)),
        "sensitivity": as_record(mean(own["sensitivity"], seed)),
        "sign_test_p": sign_test(own["sensitivity"]),
        "accuracy_before": as_record(rate(first["grade_before"] == "answer")),
        "accuracy": as_record(rate(first["grade"] == "answer")),
        "was_right": _kept_right(first),
        "transitions": {name: int(counts.get(name, 0)) for name in TRANSITIONS},
    }


def _kept_right(first: pd.DataFrame) -> Record:
    """Of the questions that were answered right at first: how often the written answer stays right."""
    own = first[first["grade_before"] == "answer"]
    stays = own["grade"] == "answer"
    return as_record(rate(stays)) | {"n_kept": int(stays.sum())}


def _spreads(rows: pd.DataFrame) -> dict[Any, Record]:
    """By group: how many wordings there are, and from where to where their means of the sensitivity go."""
    means = with_direction(rows).groupby([*GROUP, "paraphrase"], sort=False)["sensitivity"].mean()
    return {
        key: {"n_wordings": len(own), "sensitivity_by_wording": finite({"low": own.min(), "high": own.max()})}
        for key, own in means.groupby(GROUP, sort=False)
    }


def _verdict_effects(rows: pd.DataFrame, seed: int) -> Iterator[Record]:
    """Of all questions of a model, and apart of those answered rightly at first and of the others."""
    is_right = rows["grade_before"] == "answer"
    for first, own in (("", rows), ("right", rows[is_right]), ("other", rows[~is_right])):
        if len(own):
            yield verdict_effect(own, seed) | {"first": first}


def verdict_effect(rows: pd.DataFrame, seed: int = 0) -> Record:
    """Of one model: how much likelier the right word is after “right” than after “wrong”, by itself and over the foil.

    Pairs of wordings that differ in one token, averaged within each question. `n_above`: questions in which it is.
    """
    both = rows[rows["condition"].isin(["right", "wrong"])]
    table = both.groupby(["question_id", "condition"], sort=False)[["score_answer", "margin"]].mean().unstack().dropna()
    record: Record = {"model": rows["model"].iloc[0], "dtype": rows["dtype"].iloc[0], "n": 0}
    if not {"right", "wrong"} <= set(both["condition"]):
        return record
    for name, column in (("score", "score_answer"), ("margin", "margin")):
        effect = table[column]["right"] - table[column]["wrong"]
        record[name] = as_record(mean(effect, seed)) | {"n_above": int((effect > 0).sum()), "p": sign_test(effect)}
    return record | {"n": len(table)}


def as_record(estimate: Estimate) -> Record:
    """An estimate as JSON has it."""
    return finite(asdict(estimate))


def finite(numbers: Record) -> Record:
    """Numbers as JSON has them: null where there is none."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
