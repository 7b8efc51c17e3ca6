"""Proof that an adapter reads its model exactly: run on a few tokens when the model loads.

Nothing is taken on trust: the tail against the model's own logits at every layer, the live attention path against eager
attention, the norms against what the attention really gets, and that no position knows what comes after it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from llm_tracker.errors import ModelError
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.forward.attention import AttentionKind
from llm_tracker.models.forward.attention_sinks import closed_sums_gap, sums_gap
from llm_tracker.models.forward.forward_pass import Way, own_logits, probe_tokens, refused_if_it_fails
from llm_tracker.models.forward.gaps import in_deviations, row_gap
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.models.proof.failures import adapter_blamed
from llm_tracker.models.proof.runs import EagerRun, LiveRun, eager_run, float32_row_gap, kernel_gap, live_run


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
    way: Way
    heads: tuple[int, ...]
    """(layer), attention heads; 0 where the layer has no attention pattern."""
    has_sinks: bool
    """Whether heads may leave part of their 100 % to a learned sink, which stands for no word."""
    d_model: int
    vocab_size: int
    checks: tuple[Check, ...]

    @property
    def attention(self) -> AttentionKind:
        """What the model's attention runs on while it is traced."""
        return self.way.attention

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
            "tail_gap": _number(self.tail_gap),
            "pattern_gap": _number(self.pattern_gap),
            "attention": self.attention,
            "n_layers_with_attention": sum(heads > 0 for heads in self.heads),
            "has_sinks": self.has_sinks,
            "checks": [{**asdict(check), "gap": _number(check.gap)} for check in self.checks],
        }


class RefusedError(ModelError):
    """The adapter does not read this model exactly; `proof` says where it fails."""

    def __init__(self, message: str, proof: Proof) -> None:
        super().__init__(message)
        self.proof = proof


def prove(model: PreTrainedModel, adapter: ModelAdapter) -> Proof:
    """Compare what the adapter reads with what the model does, and leave the model on its watched attention.

    Raises ModelError where a path of the adapter leads nowhere, one of its methods raises, or the model cannot be run
    as tracing needs it.
    """
    with refused_if_it_fails(model), adapter_blamed(adapter):
        return _proof(model, adapter)


def _proof(model: PreTrainedModel, adapter: ModelAdapter) -> Proof:
    config = model.config.get_text_config()
    layers = adapter.layers(model)
    attentions = [adapter.attention(layer) for layer in layers]
    token_ids = probe_tokens(config.vocab_size).to(model.device)
    with torch.inference_mode():
        eager = eager_run(model, adapter, token_ids)
        live = live_run(model, attentions, token_ids)
        n_configured = getattr(config, "num_hidden_layers", len(layers) + eager.n_unreached)
        missed = abs(len(layers) + eager.n_unreached - n_configured)
        found = _check("layers", missed, 0, f"{len(layers)} layers found{_unreached(eager)}")
        tails = _tail_checks(model, adapter, eager)
        checks = (found, *tails, *_reading_checks(attentions, eager, model.dtype))
        checks += tuple(_live_checks(model, attentions, eager, live))
    return Proof(
        model_type=config.model_type,
        adapter=adapter.name,
        n_layers=len(layers),
        way=live.way,
        heads=tuple(len(eager.patterns.get(layer, ())) for layer in range(len(layers))),
        has_sinks=any(sums_gap(pattern) > _Bounds.of(model.dtype).rows for pattern in eager.patterns.values()),
        d_model=eager.resid.shape[-1],
        vocab_size=eager.logits.shape[-1],
        checks=checks,
    )


def _unreached(eager: EagerRun) -> str:
    return f", and {eager.n_unreached} that no text reaches" if eager.n_unreached else ""


def _tail_checks(model: PreTrainedModel, adapter: ModelAdapter, eager: EagerRun) -> list[Check]:
    """The adapter's tail against the model's own: at the last layer by its logits, at every layer by its own end."""
    bound = _Bounds.of(model.dtype).tail
    with plain_kernels(model):
        last = in_deviations(adapter.logits(model, eager.resid[-1:]), eager.logits)
        own = own_logits(model, adapter.layers(model)[-1], eager.resid)
        every = in_deviations(adapter.logits(model, eager.resid), own)
    return [
        _check("tail", last, bound, "adapter.logits(last layer) against the model's own logits, in their sd"),
        _check("every layer", every, bound, "adapter.logits(each layer) against the model's own end, given that row"),
    ]


def _reading_checks(attentions: list[Any], eager: EagerRun, dtype: torch.dtype) -> list[Check]:
    """The adapter's parts against the eager run, and whether that run's attention can be drawn at all."""
    bounds = _Bounds.of(dtype)
    n_own = len(eager.patterns) if eager.n_own_patterns is None else eager.n_own_patterns
    sums = [_sums_gap(attentions[layer], eager, layer, bounds.rows) for layer in eager.patterns]
    ahead = [pattern.triu(1).abs().max().item() for pattern in eager.patterns.values()]
    named = sum(attention is not None for attention in attentions)
    silent = named - len(eager.patterns)
    left_out = f"; left out: {', '.join(eager.norms_left_out)}" if eager.norms_left_out else ""
    norms = f"what attention and feed-forward get against what their norms give{left_out}"
    own = "none" if eager.n_own_patterns is None else eager.n_own_patterns
    patterns = f"{len(eager.patterns)} patterns of {named} attention modules; transformers hands out {own}"
    return [
        _check("norms", eager.norm_gap, 0, norms),
        _check("patterns", abs(len(eager.patterns) - n_own) + silent, 0, patterns),
        _check("row sums", _largest(sums), bounds.rows, "every attention row sums to 1, with its learned sink"),
        _check("nothing ahead", _largest(ahead), 0, "no attention to later positions"),
        _check("causal", eager.future_gap, bounds.future, "another last token, and the rows before it, in their sd"),
    ]


def _sums_gap(attention: Any, eager: EagerRun, layer: int, bound: float) -> float:
    """How far a layer's rows are from 1; where they fall short of it, once its learned sinks are closed."""
    pattern = eager.patterns[layer]
    gap = sums_gap(pattern)
    if gap <= bound or pattern.sum(-1).max() > 1 + bound:
        return gap
    return closed_sums_gap(attention, *eager.attention_calls[layer], len(pattern))


def _live_checks(model: PreTrainedModel, attentions: list[Any], eager: EagerRun, live: LiveRun) -> list[Check]:
    """What is traced while the model generates, against the eager run."""
    bounds = _Bounds.of(model.dtype)
    missed = abs(live.n_rows - 2 * len(eager.patterns))
    return [
        _check("kernels", kernel_gap(model), bounds.kernels, "chosen products and quick norms against its own code"),
        _check("live logits", in_deviations(live.logits, eager.logits[-1]), bounds.live, "as traced, against eager"),
        *_row_checks(model.dtype, attentions, eager, live),
        *_late_checks(live, bounds.live_rows),
        _check("one row a layer", missed, 0, f"{live.n_rows} rows in two forward passes"),
    ]


def _late_checks(live: LiveRun, bound: float) -> list[Check]:
    """Rows that were made together, as on a GPU, against each made alone from the same query and keys."""
    layers = sorted(live.alone)
    gap = row_gap([live.rows[layer] for layer in layers], [live.alone[layer] for layer in layers])
    return [_check("rows made together", gap, bound, "of all layers at once, against each alone")] if layers else []


def _row_checks(dtype: torch.dtype, attentions: list[Any], eager: EagerRun, live: LiveRun) -> list[Check]:
    """The traced rows against eager's.

    In 16 bits SDPA and eager code round differently along the whole depth. There each module is compared on a float32
    copy, and the traced rows themselves in the first layer, where no rounding has gathered yet, and roughly in all.
    """
    bounds = _Bounds.of(dtype)
    in_order = sorted(eager.patterns)
    rows = [live.rows[layer] for layer in in_order if layer in live.rows]
    expected = [eager.patterns[layer][:, -1] for layer in in_order]
    gap, traced = row_gap(rows, expected), "rows as traced, with a cache, against eager"
    if dtype == torch.float32:
        return [_check("live attention rows", gap, bounds.live_rows, traced)]
    if live.way.attention == "eager":  # eager against eager, but for the cache
        return [_check("live attention rows", gap, bounds.rows, traced)]
    twins = float32_row_gap(attentions, eager.attention_calls)
    return [
        _check("live attention rows", twins, bounds.live_rows, "rows of float32 copies of the modules, against eager"),
        _check("first live row", row_gap(rows[:1], expected[:1]), bounds.rows, f"{traced}: the first layer's"),
        _check("all live rows", gap, bounds.deep_rows, f"{traced}: with all that 16 bits round on the way"),
    ]


def _largest(gaps: list[float]) -> float:
    return torch.tensor([0.0, *gaps]).max().item()  # Python's own max would pass over a NaN


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
    "every layer": "Override unembed(): a cap or a scale bites only where earlier layers' rows go.",
    "norms": "Set attention_norm_path and mlp_norm_path to the norms before attention and feed-forward.",
    "patterns": "Set attention_path to the module that returns the pattern; or return None for layers without one.",
    "row sums": "This family's attention is no plain softmax: it cannot be drawn as shares.",
    "nothing ahead": "This model sees the words after each position: it is no causal language model.",
    "causal": "This model sees the words after each position: it is no causal language model.",
    "kernels": "Another routine than the model's own computes wrongly on this CPU; report it.",
    "live logits": "Its attention cannot be watched on SDPA; report this family.",
    "live attention rows": "Set attention_path to the module that computes the softmax; or report this family.",
    "first live row": "Set attention_path to the module that computes the softmax; or report this family.",
    "all live rows": "Load it with --dtype float32, where rows can be compared exactly; or report this family.",
    "rows made together": "Load it with --device cpu, where each row is made alone; and report this family.",
    "one row a layer": "Set attention_path to the module that calls the attention function, once a layer.",
}


@dataclass(frozen=True)
class _Bounds:
    """Allowed gaps: rounding of the number format, no more (tried on real models, with margin)."""

    tail: float
    rows: float
    future: float
    live: float
    live_rows: float
    deep_rows: float
    kernels: float

    @classmethod
    def of(cls, dtype: torch.dtype) -> _Bounds:
        if dtype == torch.float32:
            return cls(tail=1e-4, rows=1e-5, future=1e-4, live=1e-3, live_rows=1e-4, deep_rows=1e-4, kernels=1e-4)
        return cls(tail=1e-2, rows=1e-2, future=1e-2, live=0.5, live_rows=1e-4, deep_rows=0.25, kernels=0.05)


def _number(gap: float) -> float | None:
    """A gap for JSON, which knows no infinity: None where the two could not even be compared."""
    return gap if math.isfinite(gap) else None


def _check(name: str, gap: float, bound: float, note: str) -> Check:
    return Check(name, bool(gap <= bound), float(gap), float(bound), note)  # NaN is no gap within a bound
