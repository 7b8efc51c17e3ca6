"""Proof that an adapter reads its model exactly: run on a few tokens when the model loads.

Nothing is taken on trust: the tail against the model's own logits at every layer, the live attention path against eager
attention, the norms against what the attention really gets, and that no position knows what comes after it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from transformers import PreTrainedModel

from llm_tracker.languages.texts import later
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.forward.attention_rows import put_on_attention
from llm_tracker.models.forward.forward_pass import probe_tokens, refused_if_it_fails
from llm_tracker.models.forward.numeric_gaps import closed_sums_gap, in_deviations, row_gap, sums_gap
from llm_tracker.models.forward.sites import own_logits
from llm_tracker.models.kernels.matrix_products import ModelKernels, plain_kernels
from llm_tracker.models.memory.split_weights import input_device
from llm_tracker.models.proof.architecture import architecture_of
from llm_tracker.models.proof.checks import Bounds, Check, Examination, Proof, checked, largest
from llm_tracker.models.proof.refusal import adapter_blamed
from llm_tracker.models.proof.runs import EagerRun, LiveRun, eager_run, float32_row_gap, kernel_gap, live_run
from llm_tracker.models.proof.sites import prove_sites


def prove(model: PreTrainedModel, adapter: ModelAdapter, kernels: ModelKernels | None = None) -> Examination:
    """Compare what the adapter reads with what the model does, and leave the model on the attention that is recorded.

    `kernels` are those that its layers multiply by already, where that is not torch's choice. Raises ModelError where a
    path of the adapter leads nowhere, one of its methods raises, or the model cannot be run as tracing needs it.
    """
    with refused_if_it_fails(model), adapter_blamed(adapter), torch.inference_mode():
        return _examined(model, adapter, kernels)


def _examined(model: PreTrainedModel, adapter: ModelAdapter, kernels: ModelKernels | None) -> Examination:
    layers = adapter.layers(model)
    attentions = [adapter.attention(layer) for layer in layers]
    token_ids = probe_tokens(model.config.get_text_config().vocab_size).to(input_device(model))
    eager = eager_run(model, adapter, token_ids)
    live = live_run(model, attentions, token_ids)
    sites, of_sites = prove_sites(model, adapter, token_ids, eager.patterns, live.way)
    checks = (
        _layers_check(model, len(layers), eager),
        *_tail_checks(model, adapter, eager),
        *_parts_checks(attentions, eager, model.dtype),
        *_live_checks(model, attentions, eager, live),
    )
    architecture = architecture_of(model, adapter, eager, live)
    put_on_attention(model, live.way)
    return Examination(architecture, replace(live.way, kernels=kernels), Proof(checks, of_sites), sites)


def _layers_check(model: PreTrainedModel, n_layers: int, eager: EagerRun) -> Check:
    configured = getattr(model.config.get_text_config(), "num_hidden_layers", n_layers + eager.n_unreached)
    missed = abs(n_layers + eager.n_unreached - configured)
    if eager.n_unreached:
        found = later("{n} layers found, and {unreached} that no text reaches")
        return checked(later("layers"), missed, 0, found, n=n_layers, unreached=eager.n_unreached)
    return checked(later("layers"), missed, 0, later("{n} layers found"), n=n_layers)


def _tail_checks(model: PreTrainedModel, adapter: ModelAdapter, eager: EagerRun) -> list[Check]:
    """The adapter's tail against the model's own: at the last layer by its logits, at every layer by its own end."""
    bound = Bounds.of(model.dtype).tail
    with plain_kernels(model):
        last = in_deviations(adapter.logits(model, eager.resid[-1:]), eager.logits)
        own = own_logits(model, adapter.layers(model)[-1], eager.resid)
        every = in_deviations(adapter.logits(model, eager.resid), own)
    return [
        checked(
            later("tail"), last, bound, later("adapter.logits(last layer) against the model's own logits, in their sd")
        ),
        checked(
            later("every layer"),
            every,
            bound,
            later("adapter.logits(each layer) against the model's own end, given that row"),
        ),
    ]


def _parts_checks(attentions: list[Any], eager: EagerRun, dtype: torch.dtype) -> list[Check]:
    """The adapter's parts against the eager run, and whether that run's attention can be drawn at all."""
    bounds = Bounds.of(dtype)
    n_own = len(eager.patterns) if eager.n_own_patterns is None else eager.n_own_patterns
    sums = [_sums_gap(attentions[layer], eager, layer, bounds.rows) for layer in eager.patterns]
    ahead = [pattern.triu(1).abs().max().item() for pattern in eager.patterns.values()]
    named = sum(attention is not None for attention in attentions)
    silent = named - len(eager.patterns)
    patterns = later("{n} patterns of {named} attention modules; transformers hands out {own}")
    if eager.n_own_patterns is None:
        patterns = later("{n} patterns of {named} attention modules; transformers hands out none to compare with")
    counted = {"n": len(eager.patterns), "named": named, "own": n_own}
    return [
        _norms_check(eager),
        checked(later("patterns"), abs(len(eager.patterns) - n_own) + silent, 0, patterns, **counted),
        checked(
            later("row sums"), largest(sums), bounds.rows, later("every attention row sums to 1, with its learned sink")
        ),
        checked(later("nothing ahead"), largest(ahead), 0, later("no attention to later positions")),
        checked(
            later("causal"),
            eager.future_gap,
            bounds.future,
            later("another last token, and the rows before it, in their sd"),
        ),
    ]


def _sums_gap(attention: Any, eager: EagerRun, layer: int, bound: float) -> float:
    """How far a layer's rows are from summing to 1; if they sum to less, measured once more with its sinks closed."""
    pattern = eager.patterns[layer]
    gap = sums_gap(pattern)
    if gap <= bound or pattern.sum(-1).max() > 1 + bound:
        return gap
    return closed_sums_gap(attention, *eager.attention_calls[layer], len(pattern))


def _norms_check(eager: EagerRun) -> Check:
    if eager.norms_left_out:
        compared = later("what attention and feed-forward get against what their norms give; left out: {parts}")
        return checked(later("norms"), eager.norm_gap, 0, compared, parts=", ".join(eager.norms_left_out))
    return checked(
        later("norms"), eager.norm_gap, 0, later("what attention and feed-forward get against what their norms give")
    )


def _live_checks(model: PreTrainedModel, attentions: list[Any], eager: EagerRun, live: LiveRun) -> list[Check]:
    """What is traced while the model generates, against the eager run."""
    bounds = Bounds.of(model.dtype)
    missed = abs(live.n_rows - 2 * len(eager.patterns))
    return [
        checked(later("kernels"), kernel_gap(model), bounds.kernels, later("chosen products against its own code")),
        checked(
            later("live logits"),
            in_deviations(live.logits, eager.logits[-1]),
            bounds.live,
            later("as traced, against eager"),
        ),
        *_row_checks(model.dtype, attentions, eager, live),
        *_late_checks(live, bounds.live_rows),
        checked(later("one row a layer"), missed, 0, later("{n} rows in two forward passes"), n=live.n_rows),
    ]


def _late_checks(live: LiveRun, bound: float) -> list[Check]:
    """Rows that were made together, as on a GPU, against each made alone from the same query and keys."""
    layers = sorted(live.alone)
    gap = row_gap([live.rows[layer] for layer in layers], [live.alone[layer] for layer in layers])
    return (
        [checked(later("rows made together"), gap, bound, later("of all layers at once, against each alone"))]
        if layers
        else []
    )


def _row_checks(dtype: torch.dtype, attentions: list[Any], eager: EagerRun, live: LiveRun) -> list[Check]:
    """The traced rows against eager's.

    In 16 bits SDPA and eager code round differently along the whole depth. There each module is compared on a float32
    copy, and the traced rows themselves in the first layer, where no rounding has gathered yet, and roughly in all.
    """
    bounds = Bounds.of(dtype)
    in_order = sorted(eager.patterns)
    rows = [live.rows[layer] for layer in in_order if layer in live.rows]
    expected = [eager.patterns[layer][:, -1] for layer in in_order]
    gap, traced = row_gap(rows, expected), later("rows as traced, with a cache, against eager")
    if dtype == torch.float32:
        return [checked(later("live attention rows"), gap, bounds.live_rows, traced)]
    if live.way.attention == "eager":  # eager against eager, but for the cache
        return [checked(later("live attention rows"), gap, bounds.rows, traced)]
    twins = float32_row_gap(attentions, eager.attention_calls)
    return [
        checked(
            later("live attention rows"),
            twins,
            bounds.live_rows,
            later("rows of float32 copies of the modules, against eager"),
        ),
        checked(
            later("first live row"),
            row_gap(rows[:1], expected[:1]),
            bounds.rows,
            later("rows as traced, with a cache, against eager: the first layer's"),
        ),
        checked(
            later("all live rows"),
            gap,
            bounds.deep_rows,
            later("rows as traced, with a cache, against eager: with all that 16 bits round on the way"),
        ),
    ]
