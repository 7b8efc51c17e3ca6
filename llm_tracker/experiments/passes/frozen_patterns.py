"""A forward pass that is linear in what carries a gradient: what depends on it otherwise is held as it was.

Softmaxes are held (attention patterns, the weights of routers), sigmoids and scales of norms too; an activation is its
input times a number that is held; of a product of two the gate is held. So it is done to each operation of torch,
whatever code calls it. What is none of these stays as it is: what comes out has to be checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from llm_tracker.models.forward.pattern_edits import edited_patterns
from llm_tracker.models.forward.way import Way

WEIGHTS = frozenset("softmax sigmoid tanh softplus".split())
HELD = WEIGHTS | frozenset("rsqrt sqrt std var logsumexp".split())
"""Functions whose output is held, by their names in torch: it weighs, or it scales."""

ACTIVATIONS = frozenset("relu silu gelu leaky_relu mish".split())
SHARES = ACTIVATIONS | frozenset("clamp clip pow square rms_norm".split())
"""Functions whose output is their input times a number that is held."""

PRODUCTS = frozenset("mul __mul__ __rmul__ mul_ __imul__ multiply".split())
SUMS = frozenset("add __add__ __radd__ add_ __iadd__".split())


@contextmanager
def frozen_patterns(attentions: Sequence[nn.Module | None], way: Way) -> Iterator[list[Tensor]]:
    """Within this context no gradient of this thread goes through attention patterns, routers, scales and gates.

    (layer) of attention modules; gradients have to be on. What is added on the way to every position is put into the
    list, as something that a gradient is taken by.
    """
    on_sdpa = way.attention == "sdpa"
    made = edited_patterns(attentions, lambda _layer, pattern: pattern.detach()) if on_sdpa else nullcontext()
    linear = _Linear()
    with made, linear:
        yield linear.added


class _Linear(TorchFunctionMode):
    """Makes operations linear in what carries a gradient, and marks what is a gate where it multiplies something."""

    def __init__(self) -> None:
        super().__init__()
        self.added: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        keywords, name = kwargs or {}, getattr(func, "__name__", "")
        given = [each for each in (*args, *keywords.values()) if isinstance(each, Tensor)]
        carrying = [each for each in given if each.requires_grad]
        if not carrying and not any(map(_is_gate, given)):
            return func(*args, **keywords)
        if name in HELD:
            held = func(*args, **keywords).detach()
            return _as_gate(held) if name in WEIGHTS else held
        if name in SHARES:
            share = _as_share(args[0], func(args[0].detach().clone(), *args[1:], **keywords))
            return _as_gate(share) if name in ACTIVATIONS or _is_gate(args[0]) else share
        if name == "layer_norm":
            return _layer_norm(*args, **keywords)
        if name in PRODUCTS:
            return _product(func, args, keywords, carrying)
        if name in SUMS and len(carrying) == 1:
            args = tuple(each if each is carrying[0] else self._followed(each, carrying[0]) for each in args)
        output = func(*args, **keywords)
        return _as_gate(output) if len(given) == 1 and _is_gate(given[0]) and _is_like(output, given[0]) else output

    def _followed(self, added: Tensor | float, rows: Tensor) -> Tensor:
        """What is added, where that is the same at every position: a number, or a bias."""
        if isinstance(added, Tensor) and added.dim() > 1:
            return added
        own = added.detach().clone() if isinstance(added, Tensor) else torch.full_like(rows, added).detach()
        self.added.append(own.requires_grad_())
        return own


def _as_gate(rows: Tensor) -> Tensor:
    rows.is_gate = True  # type: ignore[attr-defined]
    return rows


def _is_gate(rows: Tensor) -> bool:
    return getattr(rows, "is_gate", False)


def _is_like(output: Any, rows: Tensor) -> bool:
    return isinstance(output, Tensor) and output.shape == rows.shape


def _as_share(rows: Tensor, output: Tensor) -> Tensor:
    """A function's output as what goes in times a number that is held."""
    return rows * (output / rows).masked_fill(rows == 0, 0.0).detach()


def _product(func: Any, args: tuple[Any, ...], keywords: dict[str, Any], carrying: Sequence[Tensor]) -> Any:
    """A product in which the gate is held, if one factor is that: it is one itself where it goes on to carry."""
    gates = [each for each in args if isinstance(each, Tensor) and _is_gate(each)]
    if len(carrying) == 2 and len(gates) == 1:
        return func(*(each.detach() if each is gates[0] else each for each in args), **keywords)
    product = func(*args, **keywords)
    return _as_gate(product) if gates and len(carrying) == 1 else product


def _layer_norm(
    rows: Tensor, shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """A layer norm whose scale is held."""
    axes = tuple(range(-len(shape), 0))
    centred = rows - rows.mean(axes, keepdim=True)
    normed = centred * torch.rsqrt(centred.detach().square().mean(axes, keepdim=True) + eps)
    scaled = normed if weight is None else normed * weight
    return scaled if bias is None else scaled + bias
