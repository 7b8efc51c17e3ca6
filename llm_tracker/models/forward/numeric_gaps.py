"""How far what was found is from what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from llm_tracker.models.forward.attention_rows import pattern_in
from llm_tracker.models.memory.split_weights import standing_alone

CLOSED = -1e4
"""The logit of a learned sink (gpt_oss) at which nothing goes into it."""


def in_deviations(found: Tensor, expected: Tensor) -> float:
    """Largest gap in standard deviations of the expected logits (position by position): a lost cap can't hide in it."""
    own = expected.float().to(found.device)
    gap = (found.float() - own).abs().amax(-1)
    return (gap / own.std(-1)).max().item()


def largest(gaps: Sequence[float]) -> float:
    """The largest of some gaps; NaN where one is, which Python's `max` may lose."""
    return torch.tensor(gaps, dtype=torch.float64).max().item()


def row_gap(rows: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Largest difference between rows; infinite where rows are missing or have other shapes."""
    if [row.shape for row in rows] != [row.shape for row in expected]:
        return float("inf")
    gaps = [(row - other.float().to(row.device)).abs().max().cpu() for row, other in zip(rows, expected, strict=True)]
    return torch.stack(gaps).max().item() if gaps else 0.0


def sums_gap(pattern: Tensor) -> float:
    """How far the rows of a pattern (…, query, key) are from summing to 1."""
    return (pattern.float().sum(-1) - 1).abs().max().item()


def closed_sums_gap(attention: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], n_heads: int) -> float:
    """How far the rows are from summing to 1 once the module's sinks are closed; infinite where it has none.

    A sink is a parameter with a number for each head. The module is called anew with another value in its place; the
    parameter itself stays as it is.
    """
    gaps, attention = [float("inf")], standing_alone(attention)
    for name, weight in attention.named_parameters():
        if weight.numel() == n_heads:
            closed = {name: torch.full_like(weight, CLOSED)}
            pattern = pattern_in(torch.func.functional_call(attention, closed, args, kwargs))
            gaps.append(sums_gap(pattern) if pattern is not None else float("inf"))
    return min(gaps)
