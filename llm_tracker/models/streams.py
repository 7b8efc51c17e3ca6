"""Residual streams side by side (hyper-connections, AltUp): a position has several rows, which are read as one.

Behind the positions they stand as (1, position, stream, width), in front of the batch as (stream, 1, position, width).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Size, Tensor


def stand_in_front(shape: Size) -> bool:
    """Whether rows of this shape have their streams in front of the batch, which is of one text."""
    return len(shape) == 4 and shape[0] > 1 and shape[1] == 1


def n_streams(shape: Size) -> int:
    """How many streams rows of this shape have."""
    return 1 if len(shape) != 4 else shape[0] if stand_in_front(shape) else shape[2]


def side_by_side(rows: Tensor) -> Tensor:
    """One row for each position, the streams one after another; rows of a single stream as they are."""
    if rows.dim() != 4:
        return rows
    behind = rows.movedim(0, 2) if stand_in_front(rows.shape) else rows
    return behind.flatten(2)


def apart(rows: Tensor, like: Tensor) -> Tensor:
    """Rows (…, position, all streams) in the shape that a model gives them: that of `like`."""
    if not stand_in_front(like.shape):
        return rows.view_as(like)
    return rows.view(like.movedim(0, 2).shape).movedim(2, 0)
