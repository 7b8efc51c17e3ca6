"""What a study costs: blocks of questions behind what they have in common, against one text at a time, and a peer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

import llm_tracker as lt
from benchmarks.pairs import ratio, summary
from llm_tracker.experiments.passes.forced_choice import choices_of
from llm_tracker.experiments.passes.written_answers import N_MOST
from llm_tracker.experiments.scored_texts import Text
from llm_tracker.progress import ended
from llm_tracker.studies.asking import Form, form_of
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.conduct import make_plan
from llm_tracker.studies.values.conditions import USUAL
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question
from llm_tracker.studies.values.reading import own_questions
from llm_tracker.tracing.run import run_turn
from llm_tracker.tracing.word_scoring import score_words

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

Figures = Iterator[tuple[str, Any]]

N_QUESTIONS, N_FOR_PEER = 8, 2
AGREE = 1e-4
"""Nats by which the scores of two ways may differ."""

AGREE_WITH_PEER = 1e-3
"""The same for another tool, which knows one end of an answer where we know all."""


def studies(model: LoadedModel, n: int) -> Figures:
    """All figures."""
    plan = make_plan(replace(own_questions(), questions=own_questions().questions[:N_QUESTIONS]), [model.id], USUAL)
    yield "study_one_by_one_over_block", _one_by_one_over_block(model, plan, min(n, 3))
    began = perf_counter()
    found = read_block(model, plan, plan.questions.questions)
    yield "study_questions_per_minute", 60 * N_QUESTIONS / (perf_counter() - began)
    yield "study_rows", len(found.tables["results"])
    if find_spec("lm_eval") is not None and model.device == "cpu":
        yield "study_lm_eval_over_ours", _lm_eval_over_ours(model, plan)


def _one_by_one_over_block(model: LoadedModel, plan: Plan, n: int) -> dict[str, float]:
    """Every text read whole, its words scored and its answer written by itself, over the same as a block."""
    questions, kept = plan.questions.questions, dict[str, list[float]]()

    def block(_pair: int) -> None:
        model.kv_caches.clear()
        rows = read_block(model, plan, questions).tables["results"]
        kept["block"] = [row[name] for row in rows for name in ("score_answer", "score_foil")]
        kept["texts"] = rows

    def one_by_one(_pair: int) -> None:
        form = form_of(model, plan)
        kept["single"] = [score for row in kept["texts"] for score in _alone(form, row)]

    block(0)
    found = ratio(one_by_one, block, count(), n)
    _require_agreement(kept["block"], kept["single"], AGREE)
    return found


def _alone(form: Form, row: dict[str, Any]) -> list[float]:
    """One row by itself, as the Ask page has it: nothing kept, one answer written, both words behind it."""
    model, prompt = form.model, form.prompt(*_said(row))
    model.kv_caches.clear()
    turn = ended(run_turn(model, prompt, lt.Decoding(N_MOST), "", row["question"]))
    question = _question(row)
    words = [*question.answers, question.foil]
    scores = score_words(model, turn, words, 0, "answer")
    aliases = [scores[word].log_prob_of_all for word in question.answers]
    return [_logsumexp(aliases), scores[question.foil].log_prob_of_all]


def _said(row: dict[str, Any]) -> list[str]:
    name, question, text = row["condition"], row["question"], row["text"]
    if name == "baseline":
        return [question]
    return [f"{question} {text}"] if name == "own_answer_hidden" else [question, row["first_answer"], text]


def _question(row: dict[str, Any]) -> Question:
    return next(each for each in own_questions() if each.id == row["question_id"])


def _logsumexp(values: Sequence[float]) -> float:
    import torch

    return float(torch.tensor(values, dtype=torch.float64).logsumexp(0))


def _require_agreement(ours: Sequence[float], theirs: Sequence[float], bound: float) -> None:
    gap = max(abs(one - other) for one, other in zip(ours, theirs, strict=True))
    if gap > bound:
        raise SystemExit(f"the two ways to score differ by {gap} nats")


def _lm_eval_over_ours(model: LoadedModel, plan: Plan) -> dict[str, float]:
    """lm-evaluation-harness' log likelihoods of every spelling behind every text, over ours: the same requests."""
    form = form_of(model, plan)
    questions = plan.questions.questions[:N_FOR_PEER]
    rows = read_block(model, plan, questions).tables["results"]
    texts = [Text(form.prompt(*_said(row)), (_question(row).answers, (_question(row).foil,))) for row in rows]
    theirs = _lm_eval(model, texts)
    ratios = []
    for _ in range(3):
        model.kv_caches.clear()
        own_seconds, own = _timed(lambda: [score for each in form.scores(texts) for score in each.scores])
        other_seconds, other = _timed(theirs)
        _require_agreement(own, other, AGREE_WITH_PEER)
        ratios.append(other_seconds / own_seconds)
    return summary(ratios)


def _timed(way: Callable[[], list[float]]) -> tuple[float, list[float]]:
    began = perf_counter()
    found = way()
    return perf_counter() - began, found


def _lm_eval(model: LoadedModel, texts: Sequence[Text]) -> Callable[[], list[float]]:
    """Its way, on the same model in memory: a request for each spelling behind each text."""
    from lm_eval.models.huggingface import HFLM

    judge = HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=16, backend="causal")
    end = [model.tokenizer.eos_token_id]
    places: list[tuple[int, int]] = []
    requests = []
    for at, text in enumerate(texts):
        for word, choice in enumerate(choices_of(model, text.prompt, text.words)):
            for ids in sorted(choice):
                places.append((at, word))
                requests.append((("", str(len(requests))), list(text.prompt.token_ids), [*ids, *end]))

    def run() -> list[float]:
        found = judge._loglikelihood_tokens(requests, disable_tqdm=True)
        several: dict[tuple[int, int], list[float]] = {}
        for place, (log_prob, _) in zip(places, found, strict=True):
            several.setdefault(place, []).append(log_prob)
        return [_logsumexp(several[at, word]) for at in range(len(texts)) for word in range(2)]

    return run
