"""The KV cache of several texts that begin alike: the keys and values of their common beginning are held once.

A layer puts them in front of each row's own while it runs. So a row takes the memory of what it adds, however long the
beginning is, and rows are picked, dropped and doubled at the price of what they added.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer


class _SharingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's keys and values: those of the beginning (1, kv_head, position, d_head), and those of each row.

    `keys` and `values` stay empty: code that reads them past `update` fails, where it would miss half of the text.
    """

    def __init__(self, beginning: DynamicLayer, n_rows: int, **more: Any) -> None:
        super().__init__(**more)  # type: ignore[no-untyped-call]
        self.is_initialized, self.cumulative_length = True, beginning.get_seq_length()
        self._shared = _keys_and_values(beginning)
        self._own = [each.new_empty((n_rows, each.shape[1], 0, each.shape[3])) for each in self._shared]

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any) -> tuple[Tensor, Tensor]:
        """Add each row's next keys and values, and return all that its layer has to see."""
        states = (key_states, value_states)
        self.cumulative_length += key_states.shape[-2]
        self._own = [torch.cat(pair, dim=-2) for pair in zip(self._own, states, strict=True)]
        keys, values = (
            torch.cat([shared.expand(len(own), -1, -1, -1), own], dim=-2)
            for shared, own in zip(self._shared, self._own, strict=True)
        )
        return keys, values

    def get_seq_length(self) -> int:
        """The tokens of each text so far."""
        return self.cumulative_length

    def batch_select_indices(self, indices: Tensor) -> None:
        """Go on with these rows; one that is named twice becomes two."""
        self._own = [own[indices] for own in self._own]


class _SharingSlidingLayer(_SharingLayer, DynamicSlidingWindowLayer):  # type: ignore[no-untyped-call]
    """The same of a layer that sees the latest tokens only."""

    def __init__(self, beginning: DynamicSlidingWindowLayer, n_rows: int) -> None:
        super().__init__(beginning, n_rows, sliding_window=beginning.sliding_window)

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any) -> tuple[Tensor, Tensor]:
        """Add each row's next keys and values, and return those within the window of the first of them."""
        n_seen = self.sliding_window - 1 + key_states.shape[-2]
        keys, values = super().update(key_states, value_states)
        return keys[:, :, -n_seen:], values[:, :, -n_seen:]


def sharing(beginning: DynamicCache, n_rows: int) -> DynamicCache:
    """A cache for `n_rows` texts that begin with what a cache of one text holds, which stays as it is.

    The layers of `beginning` keep keys and values only (`kv_caches.is_plain`).
    """
    twin = copy.copy(beginning)
    twin.layers = [_sharing_layer(layer, n_rows) for layer in beginning.layers]
    return twin


def _sharing_layer(layer: Any, n_rows: int) -> DynamicLayer:
    if not _is_used(layer):
        unused: DynamicLayer = copy.copy(layer)
        return unused
    is_sliding = isinstance(layer, DynamicSlidingWindowLayer)
    return _SharingSlidingLayer(layer, n_rows) if is_sliding else _SharingLayer(layer, n_rows)


def _is_used(layer: Any) -> bool:
    """Whether it keeps anything: one that reads another layer's keys has none of its own."""
    return bool(layer.is_initialized)


def row_bytes(beginning: DynamicCache, n_more: int, n_heads: int) -> int:
    """The most that a row of `sharing` takes, with `n_more` tokens of its own.

    Its own keys and values, and those of one whole layer while it runs: put together, and once for each of `n_heads`
    query heads, as some attention code has them.
    """
    layers = [_keys_and_values(layer) for layer in beginning.layers if _is_used(layer)]
    of_token = sum(each[0, :, 0].nbytes for layer in layers for each in layer)
    whole = max((_whole_bytes(layer, n_more, n_heads) for layer in layers), default=0)
    return n_more * of_token + whole


def _whole_bytes(layer: Sequence[Tensor], n_more: int, n_heads: int) -> int:
    length = layer[0].shape[-2] + n_more
    return sum(each[0, 0, 0].nbytes * length * (each.shape[1] + n_heads) for each in layer)


def _keys_and_values(layer: Any) -> tuple[Tensor, Tensor]:
    return layer.keys, layer.values
