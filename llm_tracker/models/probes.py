"""The runs that a proof compares: plain transformers on eager attention, and the model as generation traces it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from llm_tracker.models.adapter import ModelAdapter, hidden_state
from llm_tracker.models.attention import WATCHED, AttentionKind, UnhonouredKeywordError, observe_rows, whole_row
from llm_tracker.models.kernels import MEASURED_ROWS, MeasuredLinear, plain, plain_kernels

N_TOKENS = 9


@dataclass(frozen=True)
class EagerRun:
    """What plain transformers says about the tokens, position by position."""

    logits: Tensor  # (1, vocab), of the last position: of more, a 16-bit head may be copied whole
    patterns: list[Tensor]  # layer: (head, query, key)
    last_resid: Tensor  # (1, d_model), of the last position after the last layer, before the final norm
    norm_gap: float
    attention_calls: list[tuple[tuple[Any, ...], dict[str, Any]]]


def probe_tokens(vocab_size: int) -> Tensor:
    """A few token ids (1, position), the same each time."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(vocab_size, (1, N_TOKENS), generator=generator)


def in_deviations(found: Tensor, expected: Tensor) -> float:
    """Largest gap in standard deviations of the expected logits (position by position): a lost cap can't hide in it."""
    gap = (found.float() - expected.float()).abs().amax(-1)
    return (gap / expected.float().std(-1)).max().item()


def row_gap(rows: list[Tensor], expected: list[Tensor]) -> float:
    """Largest difference between rows; infinite where rows are missing or have other shapes."""
    if [row.shape for row in rows] != [row.shape for row in expected]:
        return float("inf")
    return max((row - other.float()).abs().max().item() for row, other in zip(rows, expected, strict=True))


def eager_run(model: PreTrainedModel, adapter: ModelAdapter, token_ids: Tensor) -> EagerRun:
    """One forward pass of plain transformers on eager attention, with the seams of the adapter watched."""
    model.set_attn_implementation("eager")
    layers = adapter.layers(model)
    last_resid: list[Tensor] = []
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    with ExitStack() as stack:
        seams = [stack.enter_context(_seam(adapter.attention_norm(la), adapter.attention(la))) for la in layers]
        seams += [stack.enter_context(_seam(adapter.mlp_norm(la), adapter.mlp(la))) for la in layers]
        for layer in layers:
            attention = adapter.attention(layer)
            keep = attention.register_forward_pre_hook(lambda _m, a, kw: calls.append((a, kw)), with_kwargs=True)
            stack.callback(keep.remove)
        hook = layers[-1].register_forward_hook(lambda _m, _a, output: last_resid.append(hidden_state(output)[0]))
        stack.callback(hook.remove)
        stack.enter_context(plain_kernels(model))
        output = model(token_ids, use_cache=False, output_attentions=True, logits_to_keep=1)
    patterns = [pattern[0].float() for pattern in output.attentions]
    return EagerRun(output.logits[0], patterns, last_resid[0][-1:], max(max(seam) for seam in seams), calls)


@contextmanager
def _seam(norm: nn.Module, reader: nn.Module) -> Iterator[list[float]]:
    """Collects the gaps between what `norm` gives and what `reader` gets; infinite where the norm never spoke."""
    gaps: list[float] = []
    given: list[Tensor] = []

    def compare(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        got = args[0] if args else kwargs["hidden_states"]
        same_shape = given and given[-1].numel() == got.numel()
        gaps.append((given[-1].flatten() - got.flatten()).abs().max().item() if same_shape else float("inf"))

    speak = norm.register_forward_hook(lambda _m, _a, output: given.append(output))
    listen = reader.register_forward_pre_hook(compare, with_kwargs=True)
    try:
        yield gaps
    finally:
        speak.remove()
        listen.remove()


def kernel_gap(model: PreTrainedModel) -> float:
    """Largest gap between chosen products and torch's own, in their sd, at every number of rows that was timed.

    On one layer of each shape that multiplies by choice; 0 where torch chooses everywhere.
    """
    measured = {each.weight.shape: each for each in model.modules() if isinstance(each, MeasuredLinear)}
    generator = torch.Generator().manual_seed(0)
    gaps = [0.0]
    for linear in measured.values():
        for n_rows in MEASURED_ROWS:
            rows = torch.randn(n_rows, linear.in_features, generator=generator).to(linear.weight.dtype)
            gaps.append(in_deviations(linear(rows), plain(rows, linear.weight, linear.bias)))
    return torch.tensor(gaps).max().item()  # Python's own max would pass over a NaN


@dataclass(frozen=True)
class LiveRun:
    """What is seen of the last token when it is read as generation reads it."""

    attention: AttentionKind
    rows: list[Tensor]  # layer: (head, key)
    logits: Tensor  # (vocab)
    n_rows: int  # rows seen in both forward passes


def live_run(model: PreTrainedModel, attentions: list[nn.Module], token_ids: Tensor) -> LiveRun:
    """The tokens as generation reads them: all but the last, then the last with a cache. On SDPA where that can be."""
    try:
        model.set_attn_implementation(WATCHED)
        return _decode_last(model, attentions, "sdpa", token_ids)
    except (UnhonouredKeywordError, ValueError):  # transformers refuses SDPA for some classes with a ValueError
        model.set_attn_implementation("eager")
        return _decode_last(model, attentions, "eager", token_ids)


def _decode_last(
    model: PreTrainedModel, attentions: list[nn.Module], kind: AttentionKind, token_ids: Tensor
) -> LiveRun:
    seen: list[tuple[int, Tensor]] = []
    cache = DynamicCache(config=model.config)
    with observe_rows(attentions, kind, lambda index, row: seen.append((index, row))):
        model(token_ids[:, :-1], past_key_values=cache, use_cache=True, logits_to_keep=1)
        before = len(seen)
        output = model(token_ids[:, -1:], past_key_values=cache, use_cache=True)
    rows = [whole_row(row, token_ids.shape[1]) for _, row in sorted(seen[before:], key=lambda pair: pair[0])]
    return LiveRun(kind, rows, output.logits[0, -1], len(seen))


def float32_row_gap(attentions: list[nn.Module], calls: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> float:
    """Live rows against eager's in float32, one attention module at a time.

    In bfloat16 the two round differently along the whole depth (science: 0.1 sd of the logits); on float32 copies of
    single modules, fed the same input, they must agree.
    """
    gaps = []
    for module, (args, kwargs) in zip(attentions, calls, strict=True):
        twin: Any = copy.deepcopy(module).float()
        args32, kwargs32 = _to_float32(args), _to_float32(kwargs)
        twin.config._attn_implementation = "eager"
        expected = twin(*args32, **kwargs32)[1][0, :, -1]
        rows: list[Tensor] = []
        twin.config._attn_implementation = WATCHED
        kwargs32.pop("output_attentions", None)  # SDPA has none to give, and would say so
        with observe_rows([twin], "sdpa", lambda _index, row, rows=rows: rows.append(row)):  # type: ignore[misc]
            twin(*args32, **kwargs32)
        gaps.append(row_gap(rows, [expected]))
    return max(gaps)


def _to_float32(value: Any) -> Any:
    """The same nest of arguments with its floating tensors in float32, and without a cache."""
    if isinstance(value, Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, (tuple, list)):
        return type(value)(_to_float32(each) for each in value)
    if isinstance(value, dict):
        return {name: _to_float32(each) for name, each in value.items() if name != "past_key_values"}
    return value
