"""One short conversation on tiny models of several sizes, and runs whose leads a test says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.across_models.runs import ModelRun, NamedRun, named
from llm_tracker.conversation.same_conversation import stream_same_conversation
from llm_tracker.conversation.turns import begin_session
from llm_tracker.progress import ended
from llm_tracker.tracing.trace import LensTable, WatchedLens

QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. It is Rome."
WORD, OVER = "Paris", "Rome"


@cache
def tiny(n_layers: int = 3) -> lt.LoadedModel:
    return tiny_model("llama", num_hidden_layers=n_layers)


def had(
    model: lt.LoadedModel, said: Sequence[str] = (QUESTION, CORRECTION), words: Sequence[str] = (WORD,)
) -> ModelRun:
    """A conversation as a model has it, with its control."""
    begun = begin_session(model, "chat", lt.Decoding(max_new_tokens=2))
    before = len(said) - 2 if len(said) > 1 else None
    return ended(stream_same_conversation(model, begun, said, words, before, len(said) > 1))


@cache
def run_of(n_layers: int = 3) -> ModelRun:
    """A run that no test changes."""
    return had(tiny(n_layers))


@cache
def asked_only(n_layers: int = 3) -> ModelRun:
    """A question without a correction."""
    return had(tiny(n_layers), (QUESTION,), (WORD, OVER))


def called(run: ModelRun, title: str, dtype: str = "float32", model_id: str = "") -> ModelRun:
    """The same run by a model of another name or number format."""
    model = replace(run.session.model, title=title, dtype=dtype, id=model_id or title)
    return replace(run, session=replace(run.session, model=model))


def two_sizes() -> tuple[NamedRun, ...]:
    """The conversation on a model of three layers and on one of five."""
    return named([called(run_of(3), "Small"), called(run_of(5), "Large")])


def answering(run: ModelRun, *answers: str, **changes: Any) -> ModelRun:
    """The same run with other answers, turn by turn."""
    how = {"ended": "end", **changes}
    turns = [replace(turn, answer=answer, **how) for turn, answer in zip(run.session.turns, answers, strict=True)]
    return replace(run, session=replace(run.session, turns=tuple(turns)))


def having_read_otherwise(run: ModelRun) -> ModelRun:
    """The same run, in which another first answer stands in front of the last one."""
    *turns, last = run.session.turns
    prompt = replace(last.prompt, text=f"{last.prompt.text}, and another answer")
    return replace(run, session=replace(run.session, turns=(*turns, replace(last, prompt=prompt))))


def leading(*leads: Sequence[float]) -> ModelRun:
    """A run in which `WORD` leads over `OVER` so, layer by layer, in each turn; its control was not run."""
    run = called(run_of(), "Small")
    model = replace(run.session.model, n_layers=len(leads[0]))
    turns = tuple(_with_lead(turn, values) for turn, values in zip(run.session.turns, leads, strict=True))
    return replace(run, session=replace(run.session, model=model, turns=turns, controls={}))


def _with_lead(turn: lt.Turn, values: Sequence[float]) -> lt.Turn:
    zeros = np.zeros(len(values), dtype="float32")
    ranks, rows = np.ones(len(values), dtype="int64"), np.zeros((len(values), 1), dtype="float32")
    watched = {
        WORD: WatchedLens(1, WORD, np.array(values, dtype="float32"), zeros.copy(), ranks.copy()),
        OVER: WatchedLens(2, OVER, zeros.copy(), zeros.copy(), ranks.copy()),
    }
    table = LensTable(zeros.copy(), ranks.copy(), rows.astype("int64"), (("x",),) * len(values), rows, watched)
    return replace(turn, partings={}, trace=replace(turn.trace, lens={turn.first_step: table}))
