"""A second implementation of what is summed up over words and parts: plain transformers, with gradients of torch's own.

The network is a copy; norms, gates and attention are held in it for good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from plain_passes import Plain
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

HELD = "plain_held_attention"


def held_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention whose pattern has no gradient."""
    groups = query.shape[1] // key.shape[1]
    scores = query @ key.repeat_interleave(groups, 1).mT * (scaling or query.shape[-1] ** -0.5)
    scores = scores if softcap is None else softcap * torch.tanh(scores / softcap)
    pattern = (scores + mask).softmax(-1).detach()
    return (pattern @ value.repeat_interleave(groups, 1)).transpose(1, 2), None


AttentionInterface.register(HELD, held_attention)
AttentionMaskInterface.register(HELD, eager_mask)


@dataclass(frozen=True, eq=False)
class End:
    """The end of a network as a linear map, its norm's scale held at one row; before any soft cap."""

    plain: Plain
    final: Tensor
    """(d_model), the residual stream after the last layer."""
    ids: tuple[int, int]
    """The answer's token and the foil's."""

    def margin(self, written: Tensor) -> Tensor:
        """What something that was written into the stream (d_model) adds to the answer's logit over the foil's."""
        norm = _final_norm(self.plain)
        out, bias = norm(self.final).detach(), getattr(norm, "bias", None)
        shift = torch.zeros_like(out) if bias is None else bias.detach()
        is_centred = "LayerNorm" in type(norm).__name__
        whole, part = (each - each.mean() if is_centred else each for each in (self.final.detach(), written))
        return self.direction() @ (part * (out - shift) / whole)

    def direction(self) -> Tensor:
        """The difference of the two output rows, with the family's own scale of logits."""
        config, head = self.plain.network.config, self.plain.network.get_output_embeddings().weight.detach()
        scale = getattr(config, "logit_scale", None) or 1 / (getattr(config, "logits_scaling", None) or 1)
        return (head[self.ids[0]] - head[self.ids[1]]) * scale

    def bias(self) -> float:
        """What the biases of the final norm and of the output matrix add."""
        of_norm = getattr(_final_norm(self.plain), "bias", None)
        of_head = getattr(self.plain.network.get_output_embeddings(), "bias", None)
        added = 0.0 if of_norm is None else float(self.direction() @ of_norm.detach())
        return added if of_head is None else added + float((of_head[self.ids[0]] - of_head[self.ids[1]]).detach())


def _final_norm(plain: Plain) -> nn.Module:
    names = ("norm", "ln_f", "final_layer_norm", "final_layernorm")
    return next(getattr(plain.network.base_model, name) for name in names if hasattr(plain.network.base_model, name))


class Held:
    """A network made linear in its embeddings: patterns, norm scales and gates held as they are.

    An activation that is no gate is its input times a number that is held.
    """

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        plain.network.set_attn_implementation(HELD)
        for module in plain.layers.modules():
            if "Norm" in type(module).__name__:
                module.forward = _held_norm(module, module.forward)
            elif any(hasattr(module, name) for name in ("act_fn", "act", "activation_fn")):
                name = next(name for name in ("act_fn", "act", "activation_fn") if hasattr(module, name))
                held = _Gate if hasattr(module, "gate_proj") else _Share
                setattr(module, name, held(getattr(module, name)))

    def routes(self, ids: Sequence[int], words: tuple[int, int]) -> tuple[Tensor, float]:
        """What each position's embedding adds to the margin (position), and what all biases do."""
        entering: list[Tensor] = []
        leaving: list[Tensor] = []

        def enter(_module: nn.Module, args: tuple[Any, ...]) -> Any:
            entering.append(args[0].detach().requires_grad_())
            return (entering[0], *args[1:])

        def leave(_module: nn.Module, _args: Any, out: Any) -> None:
            leaving.append(out[0] if isinstance(out, tuple) else out)

        layers = self.plain.layers
        hooks = [layers[0].register_forward_pre_hook(enter), layers[-1].register_forward_hook(leave)]
        self.plain.network(torch.tensor([list(ids)]), use_cache=False)
        for hook in hooks:
            hook.remove()
        end = End(self.plain, leaving[0][0, -1], words)
        biases = [each for name, each in layers.named_parameters() if name.endswith("bias")]
        margin = end.margin(end.final)
        gradient, *of_biases = torch.autograd.grad(margin, [entering[0], *biases], allow_unused=True)
        several = zip(biases, of_biases, strict=True)
        from_biases = math.fsum(float((bias * each).sum().detach()) for bias, each in several if each is not None)
        return (gradient * entering[0]).sum(-1)[0].detach(), from_biases + end.bias()


def _held_norm(module: nn.Module, forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def held(rows: Tensor) -> Tensor:
        bias = getattr(module, "bias", None)
        shift = 0.0 if bias is None else bias
        centred = rows - rows.mean(-1, keepdim=True) if "LayerNorm" in type(module).__name__ else rows
        return centred * ((forward(rows) - shift) / centred).detach().nan_to_num(0.0) + shift

    return held


class _Gate(nn.Module):
    """An activation whose output is held."""

    def __init__(self, own: nn.Module) -> None:
        super().__init__()
        self.own = own

    def forward(self, rows: Tensor) -> Tensor:
        """What the activation makes of rows, without a gradient."""
        output: Tensor = self.own(rows)
        return output.detach()


class _Share(_Gate):
    """An activation that is a share of its input."""

    def forward(self, rows: Tensor) -> Tensor:
        """What goes in, times a number that is held."""
        return rows * (super().forward(rows) / rows).detach().nan_to_num(0.0)


class Parts:
    """What each part of a network writes into the residual stream at the last position of a text."""

    def __init__(self, plain: Plain, ids: Sequence[int]) -> None:
        self.plain, self.states = plain, [each[-1] for each in plain.states(ids)]
        self.z = [each[-1] for each in plain.head_outputs(ids)]
        scale = getattr(plain.network.config, "residual_multiplier", 1.0)
        self._behind = [self._behind_attention(layer, z) * scale for layer, z in enumerate(self.z)]
        self.attention = [each @ self._projected(layer, self.z[layer]) for layer, each in enumerate(self._behind)]
        several = zip(self.states, self.states[1:], self.attention, strict=False)
        self.mlp = [after - before - attended for before, after, attended in several]

    def head(self, layer: int, head: int) -> Tensor:
        """What one head adds, layer and head from 0: the rest of what attention adds stays as it is."""
        width = len(self.z[layer]) // self.plain.n_heads
        without = self.z[layer].clone()
        without[head * width : (head + 1) * width] = 0
        return self._behind[layer] @ (self._projected(layer, self.z[layer]) - self._projected(layer, without))

    def _projected(self, layer: int, z: Tensor) -> Tensor:
        with torch.no_grad():
            out: Tensor = self.plain.projections[layer](z[None])[0]
        return out

    def _behind_attention(self, layer: int, z: Tensor) -> Tensor:
        """The map (d_model, d_model) of a norm behind attention, its scale held; the identity where there is none."""
        norm = self.plain.layers[layer]
        has_norm = hasattr(norm, "pre_feedforward_layernorm")
        given = self._projected(layer, z)
        with torch.no_grad():
            gain = norm.post_attention_layernorm(given) / given if has_norm else torch.ones_like(given)
        return torch.diag(gain.nan_to_num(0.0))
