"""The runs that a proof compares: plain transformers on eager attention, and the model as generation traces it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.adapters.parts import beside
from llm_tracker.models.forward.attention_rows import (
    RECORDED_SDPA,
    RowRecorder,
    UnhonouredKeywordError,
    pattern_in,
    put_on_attention,
    summarising_layers,
    whole_row,
)
from llm_tracker.models.forward.forward_pass import (
    first_positions,
    forward,
    new_cache,
    put_on_eager,
    takes_positions,
)
from llm_tracker.models.forward.hooks import ForwardHook, after, before, layers_in_turn, once_each, put_on
from llm_tracker.models.forward.numeric_gaps import in_deviations, row_gap
from llm_tracker.models.forward.sites import output_of, read_hooks
from llm_tracker.models.forward.way import ASKED, WAYS, Way
from llm_tracker.models.kernels.matrix_products import MEASURED_ROWS, computing_otherwise, plain_kernels
from llm_tracker.models.memory.split_weights import standing_alone
from llm_tracker.models.proof.norm_inputs import norm_gap, norms_left_out

CallArguments = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class EagerRun:
    """What plain transformers says about the tokens, position by position."""

    logits: Tensor  # (1, vocab), of the last position: of more, a 16-bit head may be copied whole
    patterns: dict[int, Tensor]  # layer (0-based) that has one: (head, query, key)
    n_own_patterns: int | None  # how many transformers itself hands out; None where it hands out none
    resid: Tensor  # (layer, d_model), of the last position after each layer, before the final norm
    norm_gap: float
    norms_left_out: tuple[str, ...]  # modules of a layer that feed a part for which the adapter names no norm
    n_unreached: int  # modules beside the layers, in the same lists, that no text reaches
    future_gap: float  # what another last token changes in the rows before it, in their sd
    attention_calls: dict[int, CallArguments]


def eager_run(model: PreTrainedModel, adapter: ModelAdapter, token_ids: Tensor) -> EagerRun:
    """One forward pass of plain transformers on eager attention, with the adapter's parts looked at."""
    put_on_eager(model)
    layers = adapter.layers(model)
    attentions = [adapter.attention(layer) for layer in layers]
    seen = _Seen(attentions)
    others = beside(model, layers)
    with ExitStack() as stack, plain_kernels(model):
        parts = [
            (layer, norm, reads)
            for layer, attention in zip(layers, attentions, strict=True)
            for norm, reads in (
                (adapter.attention_norm(layer), attention),
                (adapter.mlp_norm(layer), adapter.mlp(layer)),
            )
            if reads is not None
        ]
        norm_gaps = [stack.enter_context(norm_gap(norm, reads)) for _, norm, reads in parts if norm is not None]
        left_out = [stack.enter_context(norms_left_out(layer, reads)) for layer, norm, reads in parts if norm is None]
        stack.enter_context(put_on(seen.hooks(layers)))
        reached = stack.enter_context(_reached(others))
        output = forward(model, token_ids, way=ASKED)
    last_rows = seen.stream[-1]
    return EagerRun(
        logits=output.logits[0][-1:],
        patterns=seen.patterns,
        n_own_patterns=_n_patterns(getattr(output, "attentions", None), summarising_layers(model.config)),
        resid=torch.stack([rows[-1].to(token_ids.device) for rows in seen.stream]),
        norm_gap=torch.tensor([0.0, *(gap for gaps in norm_gaps for gap in gaps)]).max().item(),
        norms_left_out=tuple(dict.fromkeys(name for names in left_out for name in names)),
        n_unreached=len(others) - len(reached),
        future_gap=_future_gap(model, layers[-1], token_ids, last_rows),
        attention_calls=seen.calls,
    )


@contextmanager
def _reached(modules: list[nn.Module]) -> Iterator[set[int]]:
    """Collects the ids of the modules that are called."""
    reached: set[int] = set()

    def see(module: nn.Module, _args: Any, _kwargs: Any) -> None:
        reached.add(id(module))

    with put_on(before(module, see) for module in modules):
        yield reached


class _Seen:
    """The rows after each layer, the patterns, and what the attention modules were called with."""

    def __init__(self, attentions: Sequence[nn.Module | None]) -> None:
        self.attentions = attentions
        self.stream: list[Tensor] = []  # call of a layer -> (position, d_model)
        self.patterns: dict[int, Tensor] = {}
        self.calls: dict[int, CallArguments] = {}

    def hooks(self, layers: list[nn.Module]) -> Iterator[ForwardHook]:
        """What sees all of it in one pass."""
        layer_of = layers_in_turn(self.attentions)

        def attended(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            layer, pattern = next(layer_of[id(module)]), pattern_in(output)
            self.calls[layer] = (args, kwargs)
            if pattern is not None:
                self.patterns[layer] = pattern[0].float()

        yield from read_hooks(list(map(output_of, layers)), lambda _layer, rows: self.stream.append(rows[0].clone()))
        yield from (after(module, attended) for module in once_each(self.attentions))


def _n_patterns(attentions: Any, summarising: frozenset[int]) -> int | None:
    """How many attention patterns transformers hands out: what looks ahead or is no matrix of shares is none."""
    if not attentions:
        return None
    of_words = [each for layer, each in enumerate(attentions) if layer not in summarising]
    several = [each for each in of_words if isinstance(each, Tensor) and each.dim() == 4]
    square = [each[0].float() for each in several if each.shape[-1] == each.shape[-2]]
    return sum(bool(p.triu(1).abs().max() == 0 and p.min() >= 0 and p.sum(-1).max() <= 1 + 1e-2) for p in square)


def _future_gap(model: PreTrainedModel, last_layer: nn.Module, token_ids: Tensor, rows: Tensor) -> float:
    """What another last token changes in the last layer's rows (position, d_model) before it, in their sd."""
    other = token_ids.clone()
    other[0, -1] = (other[0, -1] + 1) % (int(token_ids.max()) + 1)
    seen: list[Tensor] = []
    hooks = read_hooks([output_of(last_layer)], lambda _layer, rows: seen.append(rows[0]))
    with put_on(hooks), plain_kernels(model):
        forward(model, other)
    return in_deviations(seen[-1][:-1], rows[:-1])


def kernel_gap(model: PreTrainedModel) -> float:
    """Largest gap between products that are computed in another way here and torch's own, in their sd.

    At every number of rows that was timed, on one module of each shape; 0 where nothing is.
    """
    others = {each.weight.shape: each for each in computing_otherwise(model)}
    generator = torch.Generator().manual_seed(0)
    gaps = [0.0]
    for module in others.values():
        for n_rows in MEASURED_ROWS:
            rows = torch.randn(n_rows, module.weight.shape[-1], generator=generator).to(module.weight.dtype)
            both = zip(torch.split(module(rows), 8), torch.split(nn.Linear.forward(module, rows), 8), strict=True)
            gaps += [in_deviations(ours, own) for ours, own in both]  # few at once: of logits, each is a vocabulary
    return torch.tensor(gaps).max().item()  # Python's own max would pass over a NaN


@dataclass(frozen=True)
class LiveRun:
    """What is seen of the last token when it is read as generation reads it."""

    way: Way
    rows: dict[int, Tensor]  # layer (0-based): (head, key)
    logits: Tensor  # (vocab)
    n_rows: int  # rows seen in both forward passes
    alone: dict[int, Tensor]  # of the rows that were put off: each made by itself
    keys: tuple[tuple[int, int], ...]  # each number of key heads, and width of a key, that some layer keeps


def live_run(model: PreTrainedModel, attentions: Sequence[nn.Module | None], token_ids: Tensor) -> LiveRun:
    """The tokens as generation reads them: all but the last, then the last with a cache.

    On SDPA where every attention module can be read there, else on eager attention, asked for its patterns if it
    gives none unasked.
    """
    wanted = 2 * sum(attention is not None for attention in attentions)
    for way in WAYS:
        try:
            live = _decode_last(model, attentions, way, token_ids)
        except (UnhonouredKeywordError, ValueError):  # transformers refuses SDPA for some classes with a ValueError
            if way == WAYS[-1]:
                raise
            continue
        if live.n_rows == wanted:
            break
    return live


def _decode_last(
    model: PreTrainedModel, attentions: Sequence[nn.Module | None], way: Way, token_ids: Tensor
) -> LiveRun:
    """One pass over all tokens but the last, and one over the last, again where its positions have to be told."""
    put_on_attention(model, way)
    seen: list[tuple[int, Tensor]] = []
    cache = new_cache(model)
    recorder = RowRecorder(attentions, way.attention, lambda index, row: seen.append((index, row)))
    with recorder.recording():
        forward(model, token_ids[:, :-1], cache, way)
        before_last = len(seen)
        with first_positions(model) as firsts:
            output = forward(model, token_ids if cache is None else token_ids[:, -1:], cache, way)
        alone = recorder.made_alone()
    if cache is not None and 0 in firsts and takes_positions(model) and not way.tells_positions:
        return _decode_last(model, attentions, replace(way, tells_positions=True), token_ids)
    rows = {index: whole_row(row, token_ids.shape[1]) for index, row in seen[before_last:]}
    alone = {index: whole_row(row, token_ids.shape[1]) for index, row in alone.items()}
    return LiveRun(way, rows, output.logits[0, -1], len(seen), alone, _key_sizes(cache))


def _key_sizes(cache: DynamicCache | None) -> tuple[tuple[int, int], ...]:
    """How many heads of keys the layers keep, and how wide.

    Configurations call these counts by many names, and some say one that the model does not use.
    """
    layers = [] if cache is None else cache.layers
    keys = [layer.keys for layer in layers if isinstance(layer, DynamicLayer) and layer.is_initialized]
    return tuple(sorted({(each.shape[1], each.shape[-1]) for each in keys if each is not None and each.dim() == 4}))


def float32_row_gap(attentions: Sequence[nn.Module | None], calls: dict[int, CallArguments]) -> float:
    """Live rows against eager's in float32, one attention module at a time.

    In bfloat16 the two round differently along the whole depth (science: 0.1 sd of the logits); on float32 copies of
    single modules, fed the same input, they must agree.
    """
    gaps = []
    for layer, (args, kwargs) in sorted(calls.items()):
        attention: Any = attentions[layer]
        twin: Any = copy.deepcopy(standing_alone(attention)).float()
        device = next(twin.parameters()).device
        args32, kwargs32 = _to_float32(args, device), _to_float32(kwargs, device)
        twin.config._attn_implementation = "eager"
        expected = pattern_in(twin(*args32, **kwargs32))
        rows: list[Tensor] = []
        twin.config._attn_implementation = RECORDED_SDPA
        kwargs32.pop("output_attentions", None)  # SDPA has none to give, and would say so
        with RowRecorder([twin], "sdpa", lambda _index, row, rows=rows: rows.append(row)).recording():  # type: ignore[misc]
            twin(*args32, **kwargs32)
        gaps.append(row_gap(rows, [expected[0, :, -1]] if expected is not None else []))
    return torch.tensor([0.0, *gaps]).max().item()


def _to_float32(value: Any, device: torch.device) -> Any:
    """The same nest of arguments on a device, with its floating tensors in float32, and without a cache."""
    if isinstance(value, Tensor):
        return value.to(device, torch.float32 if value.is_floating_point() else value.dtype)
    if isinstance(value, (tuple, list)):
        return type(value)(_to_float32(each, device) for each in value)
    if isinstance(value, dict):
        return {name: _to_float32(each, device) for name, each in value.items() if name != "past_key_values"}
    return value
