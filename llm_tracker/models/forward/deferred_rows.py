"""The attention rows of all layers at once, when a pass over a single token has ended: for GPUs.

There the time goes into calling the device, a few microseconds a call, and not into arithmetic: a row at a time would
take ten calls in every layer. The queries are kept until the pass has ended, and the keys stand in the cache as they
were used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

STACKED_BYTES = 64 * 2**20
"""Keys, in float32, that are copied together at a time."""


@dataclass(frozen=True, eq=False)
class DeferredRow:
    """What a layer's row is made of, of the one query of a pass."""

    layer: int
    """Its index, 0-based."""
    query: Tensor
    """(1, head, 1, d_head)."""
    key: Tensor
    """(1, kv_head, key, d_head)."""
    mask: Tensor | None
    """(1, 1, 1, key) or longer, the same for all heads."""
    scaling: float | None

    @property
    def kind(self) -> tuple[Any, ...]:
        """What rows have in common that can be made together."""
        return self.query.shape, self.key.shape, id(self.mask), self.scaling, self.key.dtype, self.key.device


def can_wait(query: Tensor, mask: Tensor | None) -> bool:
    """Whether the row of a query (batch, head, query, d_head) is better made later: one text's only query, on a GPU."""
    return not query.is_cpu and query.shape[0] == query.shape[2] == 1 and (mask is None or mask.shape[1] == 1)


def in_batches(rows: Sequence[DeferredRow]) -> Iterator[list[DeferredRow]]:
    """Rows that can be made together, as many as `STACKED_BYTES` allow and one at least."""
    kinds: dict[tuple[Any, ...], list[DeferredRow]] = {}
    for row in rows:
        kinds.setdefault(row.kind, []).append(row)
    for alike in kinds.values():
        several = max(1, STACKED_BYTES // (4 * alike[0].key.numel()))
        yield from (alike[start : start + several] for start in range(0, len(alike), several))


def stacked(batch: Sequence[DeferredRow]) -> tuple[Tensor, Tensor]:
    """Query (1, layer × head, 1, d_head) and key (1, layer × kv_head, key, d_head), as if all were of one layer."""
    if len(batch) == 1:
        return batch[0].query, batch[0].key
    return torch.cat([row.query for row in batch], 1), torch.cat([row.key for row in batch], 1)
