"""Measures what a model is built of, by running it: its configuration is asked only for what no run can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.errors import is_lack_of_memory, one_line
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.adapters.unembedding import Ending, measured_ending
from llm_tracker.models.architecture import Architecture, LayerKind
from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.hooks import after, put_on
from llm_tracker.models.forward.numeric_gaps import sums_gap
from llm_tracker.models.forward.sites import output_of, replace_hooks
from llm_tracker.models.memory.split_weights import input_device, weights_once
from llm_tracker.models.proof.checks import Bounds
from llm_tracker.models.proof.runs import EagerRun, LiveRun

N_ROWS = 8
"""Rows that go through the tail to see what it does."""

FEW_MODULES = 4
"""A final norm or an output matrix consists of no more modules than this; what runs more runs the whole model."""

UNMEASURED = "changed in a way that is no scale, soft cap or bias"


def architecture_of(model: PreTrainedModel, adapter: ModelAdapter, eager: EagerRun, live: LiveRun) -> Architecture:
    """What the runs of a proof tell of a model, and its parts as the adapter sees them."""
    config = model.config.get_text_config()
    layers = adapter.layers(model)
    final_norm, unembed, tail = _tail_or_why_not(model, adapter, eager)
    return Architecture(
        model_type=config.model_type,
        heads=tuple(len(eager.patterns.get(layer, ())) for layer in range(len(layers))),
        has_sinks=any(sums_gap(pattern) > Bounds.of(model.dtype).rows for pattern in eager.patterns.values()),
        d_model=eager.resid.shape[-1],
        vocab_size=eager.logits.shape[-1],
        context_length=_context_length(model, config),
        n_parameters=sum(weight.numel() for _, weight in weights_once(model)),
        n_kv_heads=tuple(sorted({n_kv_heads for n_kv_heads, _ in live.keys})),
        d_head=tuple(sorted({d_head for _, d_head in live.keys})),
        kinds=_kinds(adapter, layers, getattr(config, "layer_types", None) or [""] * len(layers)),
        final_norm=final_norm,
        unembed=unembed,
        tail=tail,
    )


def _context_length(model: PreTrainedModel, config: Any) -> int | None:
    """How many tokens a model reads: with a dynamic RoPE as many times more as it stretches its positions."""
    length, switch = getattr(config, "max_position_embeddings", None), rope_switch(model)
    if length is None or switch is None or not switch.goes_on:
        return length
    return int(length * switch.factor)


def _kinds(adapter: ModelAdapter, layers: list[nn.Module], named: list[str]) -> tuple[LayerKind, ...]:
    """Layers in groups of the same parts."""
    groups: dict[tuple[str, str | None, str | None, str | None, str | None], list[int]] = {}
    for number, (layer, kind) in enumerate(zip(layers, named, strict=False), start=1):
        parts = (adapter.attention_norm, adapter.attention, adapter.mlp_norm, adapter.mlp)
        attention_norm, attention, mlp_norm, mlp = (_part_class(find, layer) for find in parts)
        groups.setdefault((str(kind), attention_norm, attention, mlp_norm, mlp), []).append(number)
    return tuple(LayerKind(tuple(numbers), *of) for of, numbers in groups.items())


def _part_class(find: Callable[[nn.Module], nn.Module | None], layer: nn.Module) -> str | None:
    """The class of a layer's part; None where the adapter knows none in this layer."""
    found = find(layer)
    return None if found is None else class_name(found)


def class_name(module: nn.Module) -> str:
    """The class that a module has in the model's own code, whatever computes for it here."""
    own = (each for each in type(module).__mro__ if not each.__module__.startswith("llm_tracker."))
    return next(own).__name__


Tail = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _tail_or_why_not(model: PreTrainedModel, adapter: ModelAdapter, eager: EagerRun) -> Tail:
    """The tail, or why it could not be measured: it is only shown, and no number that a trace reads depends on it."""
    try:
        return _tail(model, adapter, eager)
    except Exception as error:  # a foreign model's own code may raise anything
        if is_lack_of_memory(error):
            raise
        return (), (), (f"could not be measured ({type(error).__name__}: {one_line(error)})",)


def _tail(model: PreTrainedModel, adapter: ModelAdapter, eager: EagerRun) -> Tail:
    """The classes that run as final norm and as output matrix, and what else is done to the logits."""
    rows = torch.randn((N_ROWS, eager.resid.shape[-1]), generator=torch.Generator().manual_seed(0))
    with _ran(model) as norms:
        normed = adapter.final_norm(model, rows.to(input_device(model), model.dtype))
    with _ran(model) as heads:
        adapter.unembed(model, normed)
    ending = _ending(model, adapter, normed, heads)
    return _names(norms), _names(heads), (UNMEASURED,) if ending is None else steps(ending)


@contextmanager
def _ran(model: nn.Module) -> Iterator[list[tuple[nn.Module, Any]]]:
    """Notes each module without parts of its own that runs within this context, with what it returns."""
    ran: list[tuple[nn.Module, Any]] = []

    def note(module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        ran.append((module, output))

    with put_on(after(each, note) for each in model.modules() if next(each.children(), None) is None):
        yield ran


def _names(ran: list[tuple[nn.Module, Any]]) -> tuple[str, ...]:
    if len(ran) > FEW_MODULES:
        return ("the model's own tail, run whole",)
    return tuple(class_name(module) for module, _ in ran)


def _ending(
    model: PreTrainedModel, adapter: ModelAdapter, normed: Tensor, heads: list[tuple[nn.Module, Any]]
) -> Ending | None:
    """What becomes of the output matrix's result, measured by driving it; None where that cannot be told."""
    if not heads or not isinstance(heads[-1][1], Tensor):
        return None
    matrix, given = heads[-1]

    def logits_of(scores: Tensor) -> Tensor:
        with put_on(replace_hooks([output_of(matrix)], lambda _layer, _rows: scores)):
            return adapter.unembed(model, normed)

    vocab_size = adapter.unembed(model, normed).shape[-1]
    return measured_ending(logits_of, given, vocab_size) if given.numel() >= N_ROWS * vocab_size else None


def steps(ending: Ending) -> tuple[str, ...]:
    """What is done to the logits, in words and in its order; nothing where they are used as they come."""
    scale = () if ending.scale == 1 else (_scaled(ending.scale),)
    cap = () if ending.cap is None else (f"a soft cap: cap · tanh(logits / cap), cap = {ending.cap:.4g}",)
    return (*scale, *cap, *(() if ending.shift is None else ("a number for each token is added",)))


def _scaled(scale: float) -> str:
    """A scale as people write it: a division where that is the rounder number."""
    inverse = 1 / scale
    is_rounder = abs(inverse) > 1 and abs(inverse - round(inverse)) < 1e-3 * abs(inverse)
    return f"divided by {inverse:.4g}" if is_rounder else f"multiplied by {scale:.4g}"
