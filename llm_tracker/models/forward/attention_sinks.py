"""Learned attention sinks (gpt_oss and others): a number a head that takes part of its 100 % and stands for no word."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from llm_tracker.models.forward.attention import pattern_in

CLOSED = -1e4
"""A sink's logit at which nothing goes into it."""


def sums_gap(pattern: Tensor) -> float:
    """How far the rows of a pattern (…, query, key) are from summing to 1."""
    return (pattern.float().sum(-1) - 1).abs().max().item()


def closed_sums_gap(attention: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], n_heads: int) -> float:
    """How far the rows are from summing to 1 once the module's sinks are closed; infinite where it has none.

    A sink is a parameter with a number for each head. The module is called anew with another value in its place; the
    parameter itself stays as it is.
    """
    gaps = [float("inf")]
    for name, weight in attention.named_parameters():
        if weight.numel() == n_heads:
            closed = {name: torch.full_like(weight, CLOSED)}
            pattern = pattern_in(torch.func.functional_call(attention, closed, args, kwargs))
            gaps.append(sums_gap(pattern) if pattern is not None else float("inf"))
    return min(gaps)
