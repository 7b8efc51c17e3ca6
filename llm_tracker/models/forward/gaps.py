"""How far what was found is from what was expected."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def in_deviations(found: Tensor, expected: Tensor) -> float:
    """Largest gap in standard deviations of the expected logits (position by position): a lost cap can't hide in it."""
    gap = (found.float() - expected.float()).abs().amax(-1)
    return (gap / expected.float().std(-1)).max().item()


def row_gap(rows: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Largest difference between rows; infinite where rows are missing or have other shapes."""
    if [row.shape for row in rows] != [row.shape for row in expected]:
        return float("inf")
    gaps = [(row - other.float()).abs().max() for row, other in zip(rows, expected, strict=True)]
    return torch.stack(gaps).max().item() if gaps else 0.0
