"""A forward pass that is linear in what carries a gradient: what depends on it otherwise is held as it was.

Softmaxes are held (attention patterns, the weights of routers), and so are sigmoids; an activation and a square are the
number that they multiplied by; of a product of two the gate is held. So it is done to each operation of torch, whatever
code calls it. What is none of these stays as it is: what is made of a gradient has to be checked.
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

HELD = frozenset("softmax sigmoid tanh rsqrt sqrt std var norm logsumexp softplus exp reciprocal".split())
"""Functions whose output is held, by their names in torch: they weigh, and they scale."""

SHARES = frozenset("relu silu gelu leaky_relu mish clamp clip pow square abs".split())
"""Functions that are held as what they multiply each number by."""

PRODUCTS = frozenset("mul multiply div true_divide".split())


@contextmanager
def frozen_patterns(attentions: Sequence[nn.Module | None], way: Way) -> Iterator[None]:
    """Within this context no gradient of this thread's passes goes through attention patterns, routers and gates.

    (layer) of attention modules. Gradients have to be on.
    """
    on_sdpa = way.attention == "sdpa"
    made = edited_patterns(attentions, lambda _layer, pattern: pattern.detach()) if on_sdpa else nullcontext()
    with made, _Held():
        yield


def as_share(rows: Tensor, output: Tensor) -> Tensor:
    """An activation's output as its input times a number that is held; marked as what may gate."""
    share = (output.detach() / rows.detach()).masked_fill(rows.detach() == 0, 0.0)
    return _marked(rows * share)


def _marked(gate: Tensor) -> Tensor:
    gate.may_gate = True  # type: ignore[attr-defined]
    return gate


def _may_gate(factor: Tensor) -> bool:
    return getattr(factor, "may_gate", False)


class _Held(TorchFunctionMode):
    """Makes each operation linear in what carries a gradient."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        keywords = kwargs or {}
        name = getattr(func, "__name__", "").strip("_")
        carrying = [each for each in args[:2] if isinstance(each, Tensor) and each.requires_grad]
        if not carrying:
            return func(*args, **keywords)
        if name in HELD:
            return _marked(func(*args, **keywords).detach())
        if name in SHARES:
            rows = args[0].clone()  # some write over what they are given
            return as_share(rows, func(*args, **keywords))
        if name.removeprefix("r").removeprefix("i") in PRODUCTS:
            return _product(func, args, keywords, carrying)
        return func(*args, **keywords)


def _product(func: Any, args: tuple[Any, ...], keywords: dict[str, Any], carrying: Sequence[Tensor]) -> Any:
    """A product, or a quotient, that is linear: of two factors that carry a gradient the gate's is held."""
    if len(carrying) == 2:
        held = carrying[0] if _may_gate(carrying[0]) else carrying[1]
        args = (*(each.detach() if each is held else each for each in args[:2]), *args[2:])
    product = func(*args, **keywords)
    gates = any(isinstance(each, Tensor) and _may_gate(each) for each in args[:2])
    return _marked(product) if gates and len(carrying) == 1 else product
