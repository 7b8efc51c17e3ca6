"""Proof that an adapter reads its model exactly: run on a few tokens when the model loads.

Nothing is taken on trust: the tail against the model's own logits, the live attention path against eager attention,
the norms against what the attention really gets.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from llm_tracker.errors import ModelError
from llm_tracker.models.adapter import ModelAdapter
from llm_tracker.models.attention import WATCHED, AttentionKind, UnhonouredKeywordError, observe_rows, whole_row

N_TOKENS = 9


@dataclass(frozen=True)
class Check:
    """One thing that was compared: the largest gap found, and the bound that it must not pass."""

    name: str
    ok: bool
    gap: float
    bound: float
    note: str


@dataclass(frozen=True)
class Proof:
    """The result of proving one adapter on one model; the parity badge shows it."""

    model_type: str
    adapter: str
    n_layers: int
    attention: AttentionKind
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check held."""
        return all(check.ok for check in self.checks)

    @property
    def tail_gap(self) -> float:
        """Largest gap between the adapter's logits and the model's, in standard deviations of the logits."""
        return self._gap("tail")

    @property
    def pattern_gap(self) -> float:
        """Largest gap between a live attention row and eager attention's."""
        return self._gap("live attention rows")

    def _gap(self, name: str) -> float:
        return max((check.gap for check in self.checks if check.name == name), default=float("nan"))

    def as_dict(self) -> dict[str, Any]:
        """The record that `llm-tracker check --json` prints."""
        return {
            "model_type": self.model_type,
            "adapter": self.adapter,
            "n_layers": self.n_layers,
            "ok": self.ok,
            "tail_gap": self.tail_gap,
            "pattern_gap": self.pattern_gap,
            "attention": self.attention,
            "checks": [asdict(check) for check in self.checks],
        }


class RefusedError(ModelError):
    """The adapter does not read this model exactly; `proof` says where it fails."""

    def __init__(self, message: str, proof: Proof) -> None:
        super().__init__(message)
        self.proof = proof


@dataclass(frozen=True)
class _EagerRun:
    """What plain transformers says about the tokens, position by position."""

    logits: Tensor  # (position, vocab)
    patterns: list[Tensor]  # layer: (head, query, key)
    last_resid: Tensor  # (position, d_model), after the last layer, before the final norm
    norm_gap: float
    attention_calls: list[tuple[tuple[Any, ...], dict[str, Any]]]


def prove(model: PreTrainedModel, adapter: ModelAdapter) -> Proof:
    """Compare what the adapter reads with what the model does, and leave the model on its watched attention.

    Raises ModelError where a path of the adapter leads nowhere.
    """
    config = model.config.get_text_config()
    layers = adapter.layers(model)
    attentions = [adapter.attention(layer) for layer in layers]
    token_ids = _probe_tokens(config.vocab_size).to(model.device)
    bounds = _Bounds.of(model.dtype)
    with torch.inference_mode():
        eager = _eager_run(model, adapter, token_ids)
        attention, rows, logits, calls = _live_run(model, attentions, token_ids)
        tail = _in_deviations(adapter.logits(model, eager.last_resid), eager.logits)
        row_gap = _row_gap(rows, [pattern[:, -1] for pattern in eager.patterns])
        if model.dtype != torch.float32 and attention == "sdpa":
            row_gap = _float32_row_gap(attentions, eager.attention_calls)
    row_sums = max((pattern.sum(-1) - 1).abs().max().item() for pattern in eager.patterns)
    ahead = max(pattern.triu(1).abs().max().item() for pattern in eager.patterns)
    checks = (
        _check("layers", abs(len(layers) - config.num_hidden_layers), 0, f"{len(layers)} layers found"),
        _check("tail", tail, bounds.tail, "adapter.logits(last layer) against the model's own logits, in their sd"),
        _check("norms", eager.norm_gap, 0, "what attention and feed-forward get against what their norms give"),
        _check("row sums", row_sums, bounds.rows, "every attention row sums to 1"),
        _check("nothing ahead", ahead, 0, "no attention to later positions"),
        _check("live logits", _in_deviations(logits, eager.logits[-1]), bounds.live, "as traced, against eager"),
        _check("live attention rows", row_gap, bounds.live_rows, "rows as traced, with a cache, against eager"),
        _check("one row a layer", abs(calls - 2 * len(attentions)), 0, f"{calls} rows in two forward passes"),
    )
    return Proof(config.model_type, adapter.name, len(layers), attention, checks)


def require(proof: Proof) -> None:
    """Raise RefusedError, with the gap and what to override, unless every check held."""
    failed = [check for check in proof.checks if not check.ok]
    if failed:
        worst = failed[0]
        raise RefusedError(
            f"{proof.adapter} does not read “{proof.model_type}” exactly: {worst.name} is off by {worst.gap:.2g} "
            f"(bound {worst.bound:.2g}; {worst.note}). {_ADVICE[worst.name]}",
            proof,
        )


_ADVICE = {
    "layers": "Set layers_path to the list of all decoder layers.",
    "tail": "Override unembed() with the whole tail: scale, soft cap, bias; or set final_norm_path.",
    "norms": "Set attention_norm_path and mlp_norm_path to the norms before attention and feed-forward.",
    "row sums": "This family's attention is no plain softmax: it cannot be drawn as shares.",
    "nothing ahead": "This model sees the words after each position: it is no causal language model.",
    "live logits": "Its attention cannot be watched on SDPA; report this family.",
    "live attention rows": "Set attention_path to the module that computes the softmax; or report this family.",
    "one row a layer": "Set attention_path to the module that calls the attention function, once a layer.",
}


@dataclass(frozen=True)
class _Bounds:
    """Allowed gaps: rounding of the number format, no more (tried on real models, with margin)."""

    tail: float
    rows: float
    live: float
    live_rows: float

    @classmethod
    def of(cls, dtype: torch.dtype) -> _Bounds:
        if dtype == torch.float32:
            return cls(tail=1e-4, rows=1e-5, live=1e-3, live_rows=1e-4)
        return cls(tail=1e-2, rows=1e-2, live=0.5, live_rows=1e-4)


def _check(name: str, gap: float, bound: float, note: str) -> Check:
    return Check(name, bool(gap <= bound), float(gap), float(bound), note)  # NaN is no gap within a bound


def _probe_tokens(vocab_size: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(vocab_size, (1, N_TOKENS), generator=generator)


def _in_deviations(found: Tensor, expected: Tensor) -> float:
    """Largest gap in standard deviations of the expected logits (position by position): a lost cap can't hide in it."""
    gap = (found.float() - expected.float()).abs().amax(-1)
    return (gap / expected.float().std(-1)).max().item()


def _row_gap(rows: list[Tensor], expected: list[Tensor]) -> float:
    """Largest difference between rows; infinite where rows are missing or have other shapes."""
    if [row.shape for row in rows] != [row.shape for row in expected]:
        return float("inf")
    return max((row - other.float()).abs().max().item() for row, other in zip(rows, expected, strict=True))


def _eager_run(model: PreTrainedModel, adapter: ModelAdapter, token_ids: Tensor) -> _EagerRun:
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
        hook = layers[-1].register_forward_hook(lambda _m, _a, output: last_resid.append(first(output)[0]))
        stack.callback(hook.remove)
        output = model(token_ids, use_cache=False, output_attentions=True)
    patterns = [pattern[0].float() for pattern in output.attentions]
    return _EagerRun(output.logits[0], patterns, last_resid[0], max(max(seam) for seam in seams), calls)


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


def first(output: Any) -> Tensor:
    """The hidden state of a layer's output: some families return it alone, some first in a tuple."""
    return cast("Tensor", output[0] if isinstance(output, tuple) else output)


def _live_run(
    model: PreTrainedModel, attentions: list[nn.Module], token_ids: Tensor
) -> tuple[AttentionKind, list[Tensor], Tensor, int]:
    """The tokens as generation reads them: all but the last, then the last with a cache."""
    try:
        model.set_attn_implementation(WATCHED)
        return ("sdpa", *_decode_last(model, attentions, "sdpa", token_ids))
    except (UnhonouredKeywordError, ValueError):  # transformers refuses SDPA for some classes with a ValueError
        model.set_attn_implementation("eager")
        return ("eager", *_decode_last(model, attentions, "eager", token_ids))


def _decode_last(
    model: PreTrainedModel, attentions: list[nn.Module], kind: AttentionKind, token_ids: Tensor
) -> tuple[list[Tensor], Tensor, int]:
    """The last token's rows and logits, read with a cache, and how many rows were seen in all."""
    seen: list[tuple[int, Tensor]] = []
    cache = DynamicCache(config=model.config)
    with observe_rows(attentions, kind, lambda index, row: seen.append((index, row))):
        model(token_ids[:, :-1], past_key_values=cache, use_cache=True)
        before = len(seen)
        output = model(token_ids[:, -1:], past_key_values=cache, use_cache=True)
    rows = [whole_row(row, token_ids.shape[1]) for _, row in sorted(seen[before:], key=lambda pair: pair[0])]
    return rows, output.logits[0, -1], len(seen)


def _float32_row_gap(attentions: list[nn.Module], calls: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> float:
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
        with observe_rows([twin], "sdpa", lambda _index, row, rows=rows: rows.append(row)):  # type: ignore[misc]
            twin(*args32, **kwargs32)
        gaps.append(_row_gap(rows, [expected]))
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
