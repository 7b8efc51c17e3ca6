"""RMS norms (Zhang and Sennrich, 2019) of a single row in half the steps: a decoded token passes two in every layer.

Of one row the time goes into calling torch's operations, not into their arithmetic. Which norms this fits is tried on
each, not told by its name: those that compute as Llama's does, as most families write it. Several rows, gradients and
other devices go the way that is written in the model's own code.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Hashable
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn

EPSILON_NAMES = ("variance_epsilon", "eps")
"""What transformers' norms call the number that they add to the mean square."""

SAME = 1e-6
"""Relative gap of numbers that are the same in float32, summed in another order."""

SAME_PART = 0.99
"""The part of the numbers that have to be the same: rounding to 16 bits at another point changes every third one."""


def quicken_norms(model: nn.Module) -> int:
    """Let the norms of a model read single rows in fewer steps, where that gives the same; returns how many do.

    They stay the objects that they are, with the same weights; only their class is another, derived from their own.
    """
    found = [(module, _epsilon_name(module)) for module in model.modules()]
    quick = [(norm, _quick(cast("Hashable", type(norm)), name, norm.weight.dtype)) for norm, name in found if name]
    fitting = [(norm, quick_class) for norm, quick_class in quick if _gives_the_same(norm, quick_class)]
    for norm, quick_class in fitting:
        norm.__class__ = quick_class
    return len(fitting)


@cache
def _quick(norm_class: Hashable, epsilon_name: str, tried: torch.dtype) -> type[Any]:
    """A class of norms that takes the short way with single rows of one format, and its own with everything else."""
    base = cast("type[nn.Module]", norm_class)
    own = base.forward

    class QuickNorm(base):  # type: ignore[misc, valid-type]
        written_as = base

        def forward(self, hidden_states: Tensor) -> Tensor:
            """Rows (…, d) over their root mean square in float32; in their own format again, times the weight (d).

            A thousand norms an answer: a number that is in its format already costs no call.
            """
            weight, row = self.weight, hidden_states
            as_tried = row.numel() == len(weight) and row.dtype == weight.dtype == tried and row.is_cpu
            if not as_tried or torch.is_grad_enabled():
                rows: Tensor = own(self, hidden_states)
                return rows
            row32 = row if row.dtype == torch.float32 else row.float()
            flat = row32.view(-1)
            mean_square = torch.dot(flat, flat).item() / len(flat)
            scaled = row32 * (1 / math.sqrt(mean_square + getattr(self, epsilon_name)))
            return (scaled if scaled.dtype == row.dtype else scaled.to(row.dtype)).mul_(weight)

        def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
            """A copy, or a file, holds the norm as it is written."""
            return _blank, (base,), self.__dict__

    return QuickNorm


def _blank(norm_class: type[nn.Module]) -> nn.Module:
    """A norm of a class, before its state is put into it."""
    return norm_class.__new__(norm_class)


def _epsilon_name(module: nn.Module) -> str | None:
    """How a module of one weight (d) calls its epsilon; None of any other module."""
    weights = dict(module.named_parameters())
    if weights.keys() != {"weight"} or weights["weight"].dim() != 1 or not weights["weight"].is_cpu:
        return None
    if hasattr(type(module), "written_as"):  # it is quick already
        return None
    if [*inspect.signature(type(module).forward).parameters] != ["self", "hidden_states"]:
        return None
    named = [name for name in EPSILON_NAMES if isinstance(getattr(module, name, None), float)]
    return named[0] if named and getattr(module, named[0]) > 0 else None


def _gives_the_same(norm: Any, quick_class: type[Any]) -> bool:
    """Whether a norm gives what it would give as one of another class, whatever its weight is.

    Of a row of ordinary numbers, and of one so faint that its epsilon counts.
    """
    generator = torch.Generator().manual_seed(0)
    weight, row, faint = torch.randn((3, len(norm.weight)), generator=generator).to(norm.weight.dtype)
    faint = faint * math.sqrt(getattr(norm, str(_epsilon_name(norm))))
    try:
        own, twin = copy.deepcopy(norm), copy.deepcopy(norm)
        twin.__class__ = quick_class
        own.weight = twin.weight = nn.Parameter(weight, requires_grad=False)
        with torch.inference_mode():
            return all(_agree(own.forward(each), twin.forward(each)) for each in (row[None, None], faint[None, None]))
    except Exception:  # whatever foreign code raises where it takes no row by itself: it stays as it is
        return False


def _agree(own: Any, ours: Tensor) -> bool:
    if not isinstance(own, Tensor) or (own.shape, own.dtype) != (ours.shape, ours.dtype):
        return False
    same = (own.float() - ours.float()).abs() <= SAME * own.float().abs()
    return same.float().mean().item() >= SAME_PART
