"""One block of a study: some questions under all conditions, scored together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from llm_tracker.experiments.scored_conditions import entropy, total_variation
from llm_tracker.experiments.scored_texts import TextScore
from llm_tracker.experiments.values.conditions import REFERENCE_BEHIND, Condition, reference_of
from llm_tracker.models.forward.kv_caches import KVCaches
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.studies.asking import First, answered, first_answers, form_of, graded
from llm_tracker.studies.chains import chain_rows
from llm_tracker.studies.inside import inside_rows
from llm_tracker.studies.values.conditions import conditions_of, named_in
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question
from llm_tracker.studies.values.rows import (
    TABLES,
    Found,
    Record,
    TableName,
    flipped,
    transition,
)
from llm_tracker.tracing.provenance import model_info, versions

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

Stop = Callable[[], bool]

BASELINE = Condition("baseline", "")

MOST_TEXTS = 256
"""Texts that a GPU is given at once; on a CPU a question's own conditions, which have most in common, fill it."""


def read_block(model: LoadedModel, plan: Plan, questions: Sequence[Question], stop: Stop = lambda: False) -> Found:
    """All rows of some questions. Raises Cancelled where `stop` says so, InputError for one that does not fit.

    The same block is the same to the bit whatever was read before it, and in whatever process: nothing that was kept is
    gone on from, and torch's own kernels multiply, since which others are faster is measured anew at each load.
    """
    own = replace(model, kv_caches=KVCaches(model.kv_caches.budget_bytes))
    with plain_kernels(model.model):
        found = _read(own, plan, questions, stop)
    return replace(found, model=found.model | {"kernels": ()})


def _read(model: LoadedModel, plan: Plan, questions: Sequence[Question], stop: Stop) -> Found:
    began, form = time.monotonic(), form_of(model, plan)
    firsts = first_answers(form, questions, stop)
    tables: dict[TableName, list[Record]] = {name: [] for name in TABLES}
    first_seconds = (time.monotonic() - began) / len(questions)
    for several in _together(model, plan, firsts):
        tables["results"] += _rows(plan, several, first_seconds * len(several), stop)
    if plan.chain:
        tables["chains"] = chain_rows(form, firsts, stop)
    if plan.inside:
        for first in firsts:
            for name, rows in inside_rows(first, stop).items():
                tables[name] += rows
    info = asdict(model_info(model))
    for rows in tables.values():
        for row in rows:
            row |= {"model": info["id"], "dtype": info["dtype"]}
    return Found(tables, info, time.monotonic() - began, versions())


def _together(model: LoadedModel, plan: Plan, firsts: Sequence[First]) -> Iterator[Sequence[First]]:
    """Questions whose conditions are read together."""
    n_together = 1 if model.device == "cpu" else max(1, MOST_TEXTS // plan.n_rows)
    for at in range(0, len(firsts), n_together):
        yield firsts[at : at + n_together]


def _rows(plan: Plan, firsts: Sequence[First], first_seconds: float, stop: Stop) -> list[Record]:
    """The rows of some questions, in order, whose first answers took so long."""
    began = time.monotonic() - first_seconds
    asked = [
        (first, condition)
        for first in firsts
        for condition in conditions_of(first.question, first.grade, plan.conditions, plan.n_wordings, plan.corrections)
    ]
    unread = [(first, condition) for first, condition in asked if condition.name != "baseline"]
    prompts = [first.setting.fitting(condition) for first, condition in unread]
    texts = [
        first.setting.text(prompt, condition.place) for (first, condition), prompt in zip(unread, prompts, strict=True)
    ]
    scores = firsts[0].setting.form.scores(texts, stop)
    read = dict(zip(unread, zip(prompts, scores, strict=True), strict=True))
    read |= {(first, BASELINE): (first.prompt, first.score) for first in firsts}
    seconds = (time.monotonic() - began) / len(asked)
    rows = []
    for first in firsts:
        own = {condition: read[each, condition] for each, condition in asked if each is first}
        rows += [_row(plan, first, condition, own) | {"seconds": seconds} for condition in own]
    return rows


def _row(plan: Plan, first: First, condition: Condition, own: Mapping[Condition, tuple[Prompt, TextScore]]) -> Record:
    question, (prompt, score) = first.question, own[condition]
    again, reference = (own[_first_wording(own, name)][1] for name in (REFERENCE_BEHIND, reference_of(condition.name)))
    margin, truth_margin = _margin(score), _margin(reference)
    return {
        "question_id": question.id,
        "question": question.question,
        "category": question.category,
        "difficulty": question.difficulty,
        "held_out": question.held_out,
        "condition": condition.name,
        "paraphrase": condition.paraphrase,
        "text": condition.text,
        "named": named_in(condition, question, first.grade, plan.corrections),
        "answer": question.answer,
        "foil": question.foil,
        "first_answer": first.setting.first_answer,
        "score_answer": score.scores[0],
        "score_foil": score.scores[1],
        "margin": margin,
        "truth_margin": truth_margin,
        "sensitivity": truth_margin - margin,
        "flipped": flipped(truth_margin, margin),
        "answer_text": answered(score),
        "grade": graded(question, score),
        "grade_before": first.grade,
        "transition": transition(first.grade, graded(question, score)),
        "entropy_nats": entropy(score.log_probs),
        "tv_from_asked_again": total_variation(score.log_probs, again.log_probs),
        "n_tokens": len(prompt.token_ids),
    }


def _margin(score: TextScore) -> float:
    return score.scores[0] - score.scores[1]


def _first_wording(own: Mapping[Condition, object], name: str) -> Condition:
    return next(condition for condition in own if condition.name == name and condition.paraphrase == 0)
