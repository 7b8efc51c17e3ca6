"""Lens table <-> its part of session.json, and of the arrays beside it."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from llm_tracker.tracing.trace import FloatArray, IntArray, LeadingTokens, LensTable, Trace, WatchedLens

Record = dict[str, Any]
Arrays = dict[str, np.ndarray[Any, Any]]

LEADING_AXES = {
    "leading_token_ids": "step, token: those that rank first at any layer, the last layer's first; -1 behind the last",
    "leading_logit": "step, token, layer: raw",
    "leading_prob": "step, token, layer",
}


def lens_record(table: LensTable) -> Record:
    """What session.json says of a step's lens."""
    return {
        "lens": _layer_records(table),
        "watched": {word: watched_record(lens) for word, lens in table.watched.items()},
        "leading": None if table.leading is None else list(table.leading.tokens),
    }


def _layer_records(table: LensTable) -> list[Record]:
    return [
        {
            "layer": at + 1,
            "token_prob": float(table.token_prob[at]),
            "token_rank": int(table.token_rank[at]),
            "entropy_nats": None if table.entropy is None else float(table.entropy[at]),
            "kl_nats": None if table.kl is None else float(table.kl[at]),
            "top": candidate_records(table.top_token_ids[at], table.top_tokens[at], table.top_probs[at]),
        }
        for at in range(len(table.token_prob))
    ]


def candidate_records(ids: Any, tokens: tuple[str, ...], probs: Any, logits: Any = None) -> list[Record]:
    """Candidates, best first; with their logits where these are given."""
    records: list[Record] = [
        {"token_id": int(token_id), "token": token, "prob": float(prob)}
        for token_id, token, prob in zip(ids, tokens, probs, strict=True)
    ]
    for record, logit in zip(records, () if logits is None else logits, strict=False):
        record["logit"] = float(logit)
    return records


def watched_record(lens: WatchedLens) -> Record:
    """What session.json says of a word's token, layer by layer."""
    return {
        "token_id": lens.token_id,
        "token": lens.token,
        "logit": lens.logit.tolist(),
        "prob": lens.prob.tolist(),
        "rank": lens.rank.tolist(),
    }


def watched_of(record: Record) -> WatchedLens:
    """A word's token of its record. Raises KeyError or TypeError for another record."""
    return WatchedLens(
        token_id=record["token_id"],
        token=record["token"],
        logit=floats(record["logit"]),
        prob=floats(record["prob"]),
        rank=ints(record["rank"]),
    )


def lens_of(step: Record, leading: LeadingTokens | None) -> LensTable:
    """The lens table of a step's record. Raises KeyError or TypeError for another record."""
    layers = step["lens"]
    watched = cast("dict[str, Record]", step["watched"])
    return LensTable(
        token_prob=floats([layer["token_prob"] for layer in layers]),
        token_rank=ints([layer["token_rank"] for layer in layers]),
        top_token_ids=ints([[each["token_id"] for each in layer["top"]] for layer in layers]),
        top_tokens=tuple(tuple(each["token"] for each in layer["top"]) for layer in layers),
        top_probs=floats([[each["prob"] for each in layer["top"]] for layer in layers]),
        watched={word: watched_of(lens) for word, lens in watched.items()},
        entropy=kept_floats([layer.get("entropy_nats") for layer in layers]),
        kl=kept_floats([layer.get("kl_nats") for layer in layers]),
        leading=leading,
    )


def leading_arrays(trace: Trace) -> Arrays:
    """The arrays of the tokens that lead at any layer, step by step; empty at a step whose lens is missing."""
    kept = [table.leading for table in trace.lens.values() if table.leading is not None]
    if not kept:
        return {}
    width = max(len(leading.tokens) for leading in kept)
    ids = np.full((trace.n_steps, width), -1, dtype=np.int64)
    logit = np.zeros((trace.n_steps, width, trace.n_layers), dtype=np.float32)
    prob = np.zeros_like(logit)
    for step, table in trace.lens.items():
        if table.leading is not None:
            own = slice(len(table.leading.tokens))
            ids[step, own], logit[step, own] = table.leading.token_ids, table.leading.logit
            prob[step, own] = table.leading.prob
    return {"leading_token_ids": ids, "leading_logit": logit, "leading_prob": prob}


def leading_of(step: Record, arrays: Arrays, at: int) -> LeadingTokens | None:
    """The tokens that lead at any layer of a step; None in a file of an earlier version."""
    tokens = step.get("leading")
    if tokens is None or "leading_token_ids" not in arrays:
        return None
    logit, prob = (arrays[name][at, : len(tokens)] for name in ("leading_logit", "leading_prob"))
    return LeadingTokens(arrays["leading_token_ids"][at, : len(tokens)], tuple(tokens), logit, prob)


def kept_floats(values: list[Any]) -> FloatArray | None:
    """Numbers as an array; None where a file of an earlier version lacks any."""
    return None if None in values else floats(values)


def floats(values: list[Any]) -> FloatArray:
    """Numbers as an array. Raises FloatingPointError for one that is too large to be one of ours."""
    with np.errstate(over="raise"):
        return np.array(values, dtype=np.float32)


def ints(values: list[Any]) -> IntArray:
    """Whole numbers as an array."""
    return np.array(values, dtype=np.int64)
