"""The values that attention weighs: which columns of a projection they are, told by what the pattern makes of them.

Some families project values by themselves, others query, key and value in one, one after another or head by head. The
layout is found by trying: the pattern, applied to the right columns, gives what the output projection takes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor


def value_columns(pattern: Tensor, projected: Tensor, z: Tensor, bound: float) -> tuple[Tensor, float] | None:
    """The columns (column) of `projected` (1, position, width) that hold the values, and the gap that is left.

    `pattern` is (head, query, key) and `z` (1, position, head * d_head), what the output projection takes. The gap is
    the largest difference between z and the weighed values, relative to z's largest number. None where no layout comes
    within `bound`.
    """
    n_heads = len(pattern)
    d_head, rest = divmod(z.shape[-1], n_heads)
    if rest or not d_head or projected.shape[1] != pattern.shape[-1]:
        return None
    layouts = _layouts(projected.shape[-1], n_heads, d_head)
    gaps = ((columns, _gap(pattern, projected[..., columns.to(projected.device)], z)) for columns in layouts)
    return next(((columns.to(projected.device), gap) for columns, gap in gaps if gap <= bound), None)


def _layouts(width: int, n_heads: int, d_head: int) -> Iterator[Tensor]:
    """Where the values may be: alone, behind all queries and keys, or behind those of their own group of heads."""
    columns = torch.arange(width)
    n_groups, rest = divmod(width, d_head)
    if rest or not n_groups:
        return
    if n_heads % n_groups == 0:
        yield columns
    n_kv_heads, rest = divmod(n_groups - n_heads, 2)
    if n_kv_heads > 0 and not rest and n_heads % n_kv_heads == 0:
        yield columns[-n_kv_heads * d_head :]
        yield columns.view(n_kv_heads, -1, d_head)[:, -1].flatten()


def _gap(pattern: Tensor, values: Tensor, z: Tensor) -> float:
    """How far the weighed values are from z, relative to its largest number."""
    n_heads, n_positions = pattern.shape[:2]
    own = z[0].float().view(n_positions, n_heads, -1).transpose(0, 1)  # (head, position, d_head)
    by_head = values[0].float().view(n_positions, -1, own.shape[-1]).transpose(0, 1)
    weighed = pattern.float() @ by_head.repeat_interleave(n_heads // len(by_head), dim=0)
    return ((weighed - own).abs().max() / own.abs().max().clamp(min=1e-30)).item()
