"""Computes the logit lens (nostalgebraist, 2020) of an answer's tokens; the last layer's is what the model predicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from llm_tracker.analysis.candidates import rival_words
from llm_tracker.analysis.lens.read_out import Leading, ReadOut, read_out
from llm_tracker.analysis.lens.watch_tokens import watch_token_id
from llm_tracker.prompts.tokens import token_text
from llm_tracker.tracing.trace import LeadingTokens, LensTable, Trace, WatchedLens

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_LENS_CANDIDATES = 5
"""Candidates kept of every layer."""


def with_lens(model: LoadedModel, trace: Trace, steps: Iterable[int], words: Sequence[str] = ()) -> Trace:
    """The trace with the lens tables of these steps, `words` watched in them; tables that are there are kept.

    Beside them the strongest rival of the token that was written is watched, where it is a word. All that is missing is
    read in one batch, of which a few million logits are held at a time.
    """
    missing = [step for step in sorted(set(steps)) if not _has(trace, step, words)]
    if not missing:
        return trace
    word_ids = [_watched_ids(model, trace, words, step) for step in missing]
    width = max(map(len, word_ids))
    asked = [
        [own, *ids.values(), *[own] * (width - len(ids))]  # a step without a rival asks for its own token again
        for own, ids in zip(trace.token_ids[missing].tolist(), word_ids, strict=True)
    ]
    read, leading = read_out(model, trace.resid[missing, 1:], np.array(asked), N_LENS_CANDIDATES)
    tables = {
        step: _table(model, read.stacks(slice(at, at + 1)), leading[at], ids)
        for at, (step, ids) in enumerate(zip(missing, word_ids, strict=True))
    }
    return replace(trace, lens={**trace.lens, **tables})


def _watched_ids(model: LoadedModel, trace: Trace, words: Sequence[str], step: int) -> dict[str, int]:
    """The token that stands for each watch word at a step, and that of the strongest rival."""
    ids = {word: watch_token_id(model, trace, word, step) for word in words}
    by_id = dict(zip(trace.top_token_ids[step].tolist(), trace.top_tokens[step], strict=True))
    for rival in rival_words(trace, step, words):
        token_id = watch_token_id(model, trace, rival, step)
        if by_id.get(token_id, "").strip() == rival and token_id not in ids.values():
            return {**ids, rival: token_id}
    return ids


def _has(trace: Trace, step: int, words: Sequence[str]) -> bool:
    return step in trace.lens and set(words) <= trace.lens[step].watched.keys()


def _table(model: LoadedModel, read: ReadOut, leading: Leading, word_ids: Mapping[str, int]) -> LensTable:
    """The table of the one step that was read; its own token is the first of those that were asked for."""
    top_ids = read.top_token_ids[0]
    texts = {int(token_id): token_text(model.tokenizer, int(token_id)) for token_id in np.unique(top_ids)}
    return LensTable(
        token_prob=read.prob[0, :, 0],
        token_rank=read.rank[0, :, 0],
        top_token_ids=top_ids,
        top_tokens=tuple(tuple(texts[int(token_id)] for token_id in row) for row in top_ids),
        top_probs=read.top_probs[0],
        watched=watched_lenses(model, read, word_ids, first=1),
        entropy=read.entropy[0],
        kl=read.kl[0],
        leading=LeadingTokens(
            leading.token_ids, tuple(texts[each] for each in leading.token_ids.tolist()), leading.logit, leading.prob
        ),
    )


def watched_lenses(
    model: LoadedModel, read: ReadOut, word_ids: Mapping[str, int], first: int
) -> dict[str, WatchedLens]:
    """By word, its token in the one step that was read; `first` is its place among the tokens that were asked for."""
    return {
        word: WatchedLens(
            token_id=token_id,
            token=token_text(model.tokenizer, token_id),
            logit=read.logit[0, :, column],
            prob=read.prob[0, :, column],
            rank=read.rank[0, :, column],
        )
        for column, (word, token_id) in enumerate(word_ids.items(), start=first)
    }
