"""A second implementation of what experiments do to a model: plain transformers, eager attention, one text at a time.

No cache, no batch and no code of the app: the masks are written here from scratch, and states are put in by hooks of
torch's own.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

import llm_tracker as lt

Span = tuple[int, int]
Places = Mapping[int, Tensor]
"""By layer (from 0): what is hidden there, true in (query, key)."""

ATTENTIONS = ("self_attn", "attn", "self_attention", "attention")
PROJECTIONS = ("o_proj", "c_proj", "dense", "out_proj")


class Plain:
    """A network by itself, a copy of a loaded model's, in float32 on eager attention."""

    def __init__(self, model: lt.LoadedModel) -> None:
        self.network = copy.deepcopy(model.model).float().cpu()
        self.network.set_attn_implementation("eager")
        for module in self.network.modules():
            if isinstance(module, nn.Linear):
                module.__class__ = nn.Linear  # no kernel of ours: torch multiplies as it chooses
        self.layers = next(each for each in self.network.modules() if isinstance(each, nn.ModuleList))
        self.attentions = [_part(layer, ATTENTIONS) for layer in self.layers]
        self.projections = [_part(attention, PROJECTIONS) for attention in self.attentions]
        self.n_heads = self.network.config.num_attention_heads

    def logits(self, ids: Sequence[int]) -> Tensor:
        """(position, vocab_size)."""
        with torch.no_grad():
            logits: Tensor = self.network(torch.tensor([list(ids)]), use_cache=False).logits[0]
        return logits

    def log_probs(self, ids: Sequence[int]) -> Tensor:
        """(position, vocab_size), in double precision."""
        return self.logits(ids).double().log_softmax(-1)

    def states(self, ids: Sequence[int]) -> list[Tensor]:
        """By depth: the residual stream (position, d_model), depth 0 what enters the first layer."""
        kept: list[Tensor] = []
        hooks = [self.layers[0].register_forward_pre_hook(lambda _m, args: kept.append(args[0][0].clone()))]
        hooks += [layer.register_forward_hook(lambda _m, _a, out: kept.append(_rows(out)[0])) for layer in self.layers]
        with _on(hooks):
            self.logits(ids)
        return kept

    def with_states(self, ids: Sequence[int], depth: int, span: Span, states: Tensor) -> Tensor:
        """The last position's logits where the positions of a span have other states (position, d_model) at a depth."""
        with _on([self._put(depth, span, states)]):
            return self.logits(ids)[-1]

    def _put(self, depth: int, span: Span, states: Tensor) -> Any:
        def changed(rows: Tensor) -> Tensor:
            new = rows.clone()
            new[0, slice(*span)] = states[slice(*span)]
            return new

        if depth == 0:
            return self.layers[0].register_forward_pre_hook(lambda _m, args: (changed(args[0]), *args[1:]))

        def after(_module: nn.Module, _args: Any, out: Any) -> Any:
            return (changed(out[0]), *out[1:]) if isinstance(out, tuple) else changed(out)

        return self.layers[depth - 1].register_forward_hook(after)

    def head_outputs(self, ids: Sequence[int]) -> list[Tensor]:
        """By layer: what the output projection is given, (position, head * d_head)."""
        kept: list[Tensor] = []
        with _on(
            each.register_forward_pre_hook(lambda _m, args: kept.append(args[0][0].clone()))
            for each in self.projections
        ):
            self.logits(ids)
        return kept

    def with_heads(self, ids: Sequence[int], heads: Mapping[tuple[int, int], Tensor]) -> Tensor:
        """The last position's logits where some heads, (layer, head) from 1, give it other outputs (d_head)."""

        def change(layer: int, rows: Tensor) -> Tensor:
            new = rows.clone()
            width = rows.shape[-1] // self.n_heads
            for (wanted, head), output in heads.items():
                if wanted == layer:
                    new[0, -1, (head - 1) * width : head * width] = output
            return new

        def hook(layer: int) -> Any:
            return lambda _m, args: (change(layer, args[0]), *args[1:])

        with _on(each.register_forward_pre_hook(hook(at)) for at, each in enumerate(self.projections, 1)):
            return self.logits(ids)[-1]

    def without_edges(self, ids: Sequence[int], hidden: Places) -> Tensor:
        """Logits (position, vocab_size) where positions do not see others; the masks of these layers written here."""

        def hook(layer: int) -> Any:
            mask = self.mask(layer, len(ids)).masked_fill(hidden[layer], -math.inf)
            mask = mask.clamp(min=torch.finfo(torch.float32).min)[None, None]

            def give(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
                given = inspect.signature(module.forward).bind(*args, **kwargs)
                own = given.arguments["attention_mask"]
                given.arguments["attention_mask"] = mask if own.is_floating_point() else mask < 0
                return given.args, given.kwargs

            return give

        with _on(self.attentions[at].register_forward_pre_hook(hook(at), with_kwargs=True) for at in hidden):
            return self.logits(ids)

    def mask(self, layer: int, length: int) -> Tensor:
        """What a layer sees: 0, and -inf where it does not."""
        config, places = self.network.config, torch.arange(length)
        unseen = places[None] > places[:, None]
        kinds = getattr(config, "layer_types", None)
        slides = kinds[layer] == "sliding_attention" if kinds else True
        if slides and getattr(config, "sliding_window", None):
            unseen |= places[None] <= places[:, None] - config.sliding_window
        return torch.zeros(length, length).masked_fill(unseen, -math.inf)

    def hiding(self, length: int, keys: Span, queries: Span, layers: Iterable[int]) -> Places:
        """Positions hidden from others, in layers from 1; a position always sees itself."""
        hidden = torch.zeros(length, length, dtype=torch.bool)
        hidden[slice(*queries), slice(*keys)] = True
        hidden.fill_diagonal_(False)
        return {layer - 1: hidden for layer in layers}


def score_of(plain: Plain, context: Sequence[int], spellings: Iterable[Sequence[int]], ends: Sequence[int]) -> float:
    """log p of a word with its end behind a context, in any of its spellings: one pass over the whole text for each."""
    several: list[float] = []
    for ids in spellings:
        log_probs = plain.log_probs([*context, *ids])
        written = [float(log_probs[len(context) - 1 + at, each]) for at, each in enumerate(ids)]
        several.append(math.fsum(written) + float(log_probs[-1, list(ends)].logsumexp(-1)))
    return float(torch.tensor(several, dtype=torch.float64).logsumexp(0))


def _part(module: nn.Module, names: Sequence[str]) -> nn.Module:
    return next((getattr(module, name) for name in names if hasattr(module, name)), nn.Identity())


def _rows(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


@contextmanager
def _on(hooks: Iterable[Any]) -> Iterator[None]:
    several = list(hooks)
    try:
        yield
    finally:
        for hook in several:
            hook.remove()
