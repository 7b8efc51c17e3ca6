"""What looking inside costs: against plain generation, against our own without looking, against transformers' way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import llm_tracker as lt
from benchmarks import ours, plain
from benchmarks.pairs import ratio, summary
from benchmarks.prompts import prompts

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

Figures = Iterator[tuple[str, Any]]
N_AGREEING = 3
"""Prompts on which another tool's numbers are compared with ours before its time is."""

BOUND = 1e-3


def overheads(model: LoadedModel, n: int, length: int = 80, suffix: str = "") -> Figures:
    """The ratios at one prompt length, the noise of the run first.

    They differ by a few percent, and a single pair by ten: hence twice as many pairs.
    """
    clear = forgetting(model)
    generated = partial(plain.generated, model)

    def timed(way: Callable[..., Any], other: Callable[..., Any]) -> dict[str, float]:
        return ratio(partial(way, model), other, prompts(model, length), 2 * n + 1, clear)

    with ours.endless(model):
        yield f"same_over_same{suffix}", timed(plain.generated, lambda ids: generated(ids))
        yield f"trace_overhead{suffix}", timed(ours.traced, generated)
        yield f"capture_overhead{suffix}", timed(ours.captured, partial(ours.bare, model))


def whole_answers(model: LoadedModel, n: int, length: int = 80) -> Figures:
    """Every token's views: against plain generation, and against that and the lenses' bare matrix products."""
    clear = forgetting(model)
    with ours.endless(model):
        yield (
            "trace_all_overhead",
            ratio(partial(ours.traced_whole, model), partial(plain.generated, model), prompts(model, length), n, clear),
        )
        limit = partial(_generated_and_multiplied, model)
        yield (
            "trace_all_over_limit",
            ratio(partial(ours.traced_whole, model), limit, prompts(model, length), n, clear),
        )


def _generated_and_multiplied(model: LoadedModel, ids: Sequence[int]) -> list[int]:
    """Plain generation, and torch's own product of the output matrix with as many rows as the lenses have."""
    written = plain.generated(model, ids)
    head = model.model.get_output_embeddings().weight
    with torch.inference_mode():
        rows = head.new_ones(ours.N_NEW * len(model.layers), head.shape[1])
        _finish(torch.nn.functional.linear(rows, head))
    return written


def _finish(product: torch.Tensor) -> None:
    """Wait for a product: a GPU's call returns before it is there, and reading one number of it does not."""
    product[0, 0].item()


def versus_eager(model: LoadedModel, n: int, length: int, name: str) -> Figures:
    """transformers' own way to look inside, over ours; same prompts, and numbers that agree."""
    with ours.endless(model):
        for ids, _ in zip(prompts(model, length), range(N_AGREEING), strict=False):
            require_agreement(model, ids, plain.seen(model, ids))

        def theirs(ids: Sequence[int]) -> list[int]:
            return plain.seen(model, ids).token_ids

        yield name, ratio(theirs, partial(ours.traced, model), prompts(model, length), n, forgetting(model))


def require_agreement(model: LoadedModel, ids: Sequence[int], seen: plain.Seen) -> None:
    """Refuse to time what does not see the same numbers as we do."""
    turn = lt.with_all_lenses(model, ours.answered(model, ids)).turns[0]
    trace = turn.trace
    gaps = {
        "candidates": np.abs(trace.top_probs[0] - seen.top_probs.numpy()).max(),
        "attention": np.abs(trace.attention[0, :, :, : len(ids)] - seen.attention.numpy()).max(),
        "lens": np.abs(trace.lens[0].top_probs - seen.lens_top_probs.numpy()).max(),
    }
    if model.dtype == "float32" and (max(gaps.values()) > BOUND or ours.written(trace) != seen.token_ids):
        raise RuntimeError(f"the numbers differ, so the times are not compared: {gaps}")


def growth(model: LoadedModel, n: int, lengths: Sequence[int] = (128, 512, 2048)) -> Figures:
    """Overhead and kept bytes by prompt length."""
    limit = (model.architecture.context_length or 10**9) - ours.N_NEW
    found = {}
    with ours.endless(model):
        for length in (min(length, limit) for length in lengths):
            overhead = ratio(
                partial(ours.traced, model),
                partial(plain.generated, model),
                prompts(model, length),
                n,
                forgetting(model),
            )
            trace = ours.answered(model, next(prompts(model, length))).turns[0].trace
            found[str(length)] = {"overhead": overhead, "trace_mib": trace.n_bytes / 2**20}
    yield "growth", found


def positions(model: LoadedModel, n: int, length: int) -> Figures:
    """The lens of all layers at all positions, over torch's own matrix products of the same rows in the same chunks."""
    from benchmarks.memory import extra_anon_mib
    from llm_tracker.analysis.lens.position_tables import position_lens
    from llm_tracker.analysis.lens.read_out import chunk_rows

    head, chunk = model.model.get_output_embeddings().weight, chunk_rows(model)
    ratios, extra = list[float](), list[float]()
    for ids, _ in zip(prompts(model, length), range(n), strict=False):
        turn = lt.track(model, ids, recipe="raw", max_new_tokens=1).turns[0]
        begun = time.perf_counter()
        with extra_anon_mib() as used:
            position_lens(model, turn)
        took = time.perf_counter() - begun
        extra.append(used())
        begun = time.perf_counter()
        with torch.inference_mode():
            rows = head.new_ones(chunk, head.shape[1])
            for _ in range(-(-length * len(model.layers) // chunk)):
                product = torch.nn.functional.linear(rows, head)
            _finish(product)
        ratios.append(took / (time.perf_counter() - begun))
    yield "positions_over_limit", summary(ratios)
    yield "positions_extra_mib", max(extra)


def forgetting(model: LoadedModel) -> Callable[[object], None]:
    """Lets go of what was read before, so that each way reads its prompt from the beginning."""

    def forget(_prompt: object) -> None:
        model.kv_caches.clear()

    return forget
