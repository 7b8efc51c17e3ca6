"""Residual streams side by side (hyper-connections, AltUp): a position has several rows, which are read as one.

Behind the positions they stand as (1, position, stream, width), in front of the batch as (stream, 1, position, width).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

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


def hidden_state(output: Any) -> Tensor:
    """The residual stream in a layer's output, (1, position, width), several streams side by side."""
    rows = given_rows(output)
    return side_by_side(rows) if hasattr(rows, "dim") else rows


def given_rows(output: Any) -> Tensor:
    """The rows in an output as the module gives them: some return them alone, some first in a tuple or a list."""
    return cast("Tensor", output[0] if isinstance(output, (tuple, list)) else output)


def hidden_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The residual stream in what a module is called with, (1, position, width), several streams side by side."""
    rows = taken_rows(args, kwargs)
    return None if rows is None else side_by_side(rows)


def taken_rows(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The first floating rows that a module is called with, as it takes them.

    Masks, which have four axes too, come after the rows, and position embeddings in tuples.
    """
    for given in (*args, *kwargs.values()):
        if hasattr(given, "is_floating_point") and given.is_floating_point() and given.dim() in (2, 3, 4):
            return cast("Tensor", given)
    return None


def with_given_rows(output: Any, rows: Tensor) -> Any:
    """A module's output with other rows in it, in the tuple, list or object that the module returns."""
    if not isinstance(output, (tuple, list)):
        return rows
    several = (rows, *output[1:])
    return type(output)(*several) if hasattr(output, "_fields") else type(output)(several)
