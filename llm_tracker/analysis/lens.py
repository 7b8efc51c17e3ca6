"""The logit lens (nostalgebraist, 2020): what the model would predict if it stopped after a layer.

A residual row goes through the model's own tail: final norm, output matrix, scale, soft cap and bias. The last
layer's lens is the model's own prediction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llm_tracker.errors import InputError
from llm_tracker.tracing.trace import LensTable, Trace, WatchedLens

if TYPE_CHECKING:
    from torch import Tensor

    from llm_tracker.models.loading import LoadedModel

N_LENS_CANDIDATES = 5
"""Candidates kept of every layer."""


def with_lens(model: LoadedModel, trace: Trace, steps: Iterable[int], words: Sequence[str] = ()) -> Trace:
    """The trace with the lens tables of these steps, `words` watched in them; tables that are there are kept.

    One step at a time, so that no more than one row of the vocabulary's size per layer is ever held.
    """
    tables = dict(trace.lens)
    word_ids = {word: watch_token_id(model, trace, word) for word in words}
    for step in sorted(set(steps)):
        known = tables.get(step)
        if known is None or not word_ids.keys() <= known.watched.keys():
            tables[step] = _table(model, trace, step, word_ids)
    return replace(trace, lens=tables)


def watch_token_id(model: LoadedModel, trace: Trace, word: str) -> int:
    """The first token of a word where the answer begins: encoded behind the prompt's end, never by itself.

    A prompt that ends in a mark ("A:") is followed by a space. Raises InputError for a word without tokens.
    """
    before = trace.before
    ends_open = before[-1:].isspace() or before.endswith(tuple(_special_texts(model)))
    space = "" if not before or ends_open or word.startswith(" ") else " "
    in_place = _encoded(model, before + space + word)
    alone = _encoded(model, before)
    common = next(
        (at for at, (a, b) in enumerate(zip(alone, in_place, strict=False)) if a != b), min(len(alone), len(in_place))
    )
    if common >= len(in_place):
        raise InputError(f"“{word}” cannot be watched: this model has no token for it. Choose another word.")
    return in_place[common]


def _special_texts(model: LoadedModel) -> list[str]:
    return [str(token) for token in model.tokenizer.added_tokens_decoder.values() if token.special]


def _encoded(model: LoadedModel, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False)["input_ids"])


def _table(model: LoadedModel, trace: Trace, step: int, word_ids: Mapping[str, int]) -> LensTable:
    import torch

    from llm_tracker.tracing.tokens import token_text

    with torch.inference_mode():
        rows = torch.tensor(trace.resid[step, 1:], device=model.model.device, dtype=model.model.dtype)
        logits = model.adapter.logits(model.model, rows).float()  # (layer, vocab_size)
        log_total = logits.logsumexp(-1)
        best = logits.topk(min(N_LENS_CANDIDATES, logits.shape[-1]))
        own = _watched(logits, log_total, int(trace.token_ids[step]), trace.tokens[step])
        watched = {
            word: _watched(logits, log_total, token_id, token_text(model.tokenizer, token_id))
            for word, token_id in word_ids.items()
        }
        top_ids = best.indices.cpu().numpy()
        top_probs = (best.values - log_total[:, None]).exp().cpu().numpy()
    texts = {token_id: token_text(model.tokenizer, int(token_id)) for token_id in np.unique(top_ids)}
    return LensTable(
        token_prob=own.prob,
        token_rank=own.rank,
        top_token_ids=top_ids,
        top_tokens=tuple(tuple(texts[token_id] for token_id in row) for row in top_ids),
        top_probs=top_probs,
        watched=watched,
    )


def _watched(logits: Tensor, log_total: Tensor, token_id: int, token: str) -> WatchedLens:
    """One token's logit, probability and rank in every layer's logits (layer, vocab_size)."""
    logit = logits[:, token_id]
    return WatchedLens(
        token_id=token_id,
        token=token,
        logit=logit.cpu().numpy(),
        prob=(logit - log_total).exp().cpu().numpy(),
        rank=((logits > logit[:, None]).sum(-1) + 1).cpu().numpy(),
    )


def logit_lens(
    trace: Trace, step: int = 0, words: Sequence[str] = (), model: LoadedModel | None = None
) -> pd.DataFrame:
    """The lens of one step as a tidy frame, a row for each layer and token.

    Columns: layer (1..n_layers), kind ("token": the step's own; "candidate": the layer's best, in order; "word": a
    watched one), word, token_id, token, rank (1 = best), prob, logit (of words only, raw). With `words`, only these
    are added; what was not kept needs `model`. Raises InputError for a step that is not there or a missing model.
    """
    if not 0 <= step < trace.n_steps:
        raise InputError(f"There is no step {step}: this answer has steps 0 to {trace.n_steps - 1}.")
    kept = trace.lens.get(step)
    if kept is None or not set(words) <= kept.watched.keys():
        if model is None:
            missing = [word for word in words if kept is None or word not in kept.watched]
            what = f"the lens of “{'”, “'.join(missing)}”" if missing else f"the lens of step {step}"
            raise InputError(f"{what} was not kept in this trace. Give the model too: logit_lens(…, model=model).")
        kept = with_lens(model, trace, [step], [*(kept.watched if kept else ()), *words]).lens[step]
    return pd.DataFrame(_rows(trace, step, kept))


def _rows(trace: Trace, step: int, table: LensTable) -> list[dict[str, object]]:
    own = (int(trace.token_ids[step]), trace.tokens[step])
    rows: list[dict[str, object]] = []
    for at, (prob, rank) in enumerate(zip(table.token_prob, table.token_rank, strict=True)):
        layer = at + 1
        rows.append(_row(layer, "token", None, *own, int(rank), float(prob)))
        for place, (token_id, token) in enumerate(zip(table.top_token_ids[at], table.top_tokens[at], strict=True)):
            best = float(table.top_probs[at, place])
            rows.append(_row(layer, "candidate", None, int(token_id), token, place + 1, best))
        for word, lens in table.watched.items():
            values = (int(lens.rank[at]), float(lens.prob[at]), float(lens.logit[at]))
            rows.append(_row(layer, "word", word, lens.token_id, lens.token, *values))
    return rows


def _row(
    layer: int,
    kind: str,
    word: str | None,
    token_id: int,
    token: str,
    rank: int,
    prob: float,
    logit: float = float("nan"),
) -> dict[str, object]:
    return {
        "layer": layer,
        "kind": kind,
        "word": word,
        "token_id": token_id,
        "token": token,
        "rank": rank,
        "prob": prob,
        "logit": logit,
    }
