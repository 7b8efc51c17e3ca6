"""The KV cache of several texts that begin alike: the keys and values of their common beginning are held once.

A layer puts them in front of each row's own while it runs. So a row takes the memory of what it adds, however long the
beginning is, and rows are picked, dropped and doubled at the price of what they added.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer


class KeysApart:
    """Hands each layer's own keys to the attention without those of the beginning, which are multiplied once for all.

    The split of Hydragen (Juravsky et al., 2024). A layer's own tensors carry the shared ones along; what a family does
    to them on the way would lose these, so the calls are counted on both ends.
    """

    def __init__(self) -> None:
        self._n_given, self._n_taken = 0, 0

    @property
    def is_whole(self) -> bool:
        """Whether every layer's shared keys have reached the attention."""
        return self._n_given == self._n_taken

    def given(self, own: Sequence[Tensor], shared: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """A layer's own keys and values, with the shared ones."""
        self._n_given += 1
        keys, values = (each.view_as(each) for each in own)
        keys.beginning, values.beginning = shared  # type: ignore[attr-defined]
        return keys, values

    def taken(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor] | None:
        """The shared keys and values (1, kv_head, key, d_head) that come with a layer's own; None where none do."""
        shared: list[Tensor | None] = [getattr(each, "beginning", None) for each in (keys, values)]
        if shared[0] is None or shared[1] is None:
            return None
        self._n_taken += 1
        return shared[0], shared[1]


_apart: ContextVar[KeysApart | None] = ContextVar("keys_apart", default=None)


@contextmanager
def keys_apart() -> Iterator[KeysApart]:
    """Within this context a cache of `sharing` hands out each row's own keys, and the shared ones with them."""
    apart = KeysApart()
    token = _apart.set(apart)
    try:
        yield apart
    finally:
        _apart.reset(token)


def shared_keys(keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor] | None:
    """The keys and values of the common beginning that a layer's own came with, if they were kept apart."""
    apart = _apart.get()
    return None if apart is None else apart.taken(keys, values)


def with_beginning(own: Tensor, shared: Tensor) -> Tensor:
    """Each row's keys (row, kv_head, key, d_head) behind those that all of them share."""
    return torch.cat([shared.expand(len(own), -1, -1, -1), own], dim=-2)


def attention_behind(
    query: Tensor,
    own: tuple[Tensor, Tensor],
    shared: tuple[Tensor, Tensor],
    attention_mask: Tensor | None,
    scaling: float | None,
) -> Tensor:
    """The attention output (row, query, head, d_head) of rows whose keys and values begin alike, in float32.

    `own` and `shared` are keys and values. The shared ones are read once for all rows and heads, and never copied.
    """
    n_rows, n_heads, n_queries, d_head = query.shape
    kv_heads, n_shared = shared[0].shape[1:3]
    keys, values = (each.float() for each in own)
    shared_key, shared_value = (each[0].float() for each in shared)
    scaled = query.float() * (d_head**-0.5 if scaling is None else scaling)
    grouped = scaled.reshape(n_rows, kv_heads, -1, d_head)

    def with_shared(rows: Tensor, matrix: Tensor) -> Tensor:
        """Rows (row, kv_head, query, …) times a matrix (kv_head, …, …) of all of them."""
        product = rows.transpose(0, 1).reshape(kv_heads, -1, rows.shape[-1]) @ matrix
        return product.view(kv_heads, n_rows, -1, matrix.shape[-1]).transpose(0, 1)

    scores = torch.cat([with_shared(grouped, shared_key.mT), grouped @ keys.mT], dim=-1)
    scores = scores.view(n_rows, n_heads, n_queries, -1)
    if attention_mask is not None:
        mask = attention_mask[..., : scores.shape[-1]]
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask.float()
    pattern = scores.softmax(-1).view(n_rows, kv_heads, -1, scores.shape[-1])
    weighed = with_shared(pattern[..., :n_shared], shared_value) + pattern[..., n_shared:] @ values
    return weighed.reshape(n_rows, n_heads, n_queries, d_head).transpose(1, 2).to(query.dtype)


class _SharingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's keys and values: those of the beginning (1, kv_head, position, d_head), and those of each row.

    `keys` and `values` stay empty: code that reads them past `update` fails, where it would miss half of the text.
    """

    def __init__(self, beginning: DynamicLayer, n_rows: int, **more: Any) -> None:
        super().__init__(**more)  # type: ignore[no-untyped-call]
        self.is_initialized, self.cumulative_length = True, beginning.get_seq_length()
        self._n_beginning = self.cumulative_length
        """The tokens of the beginning: a sliding window keeps the keys of the last ones only."""
        self._shared = _keys_and_values(beginning)
        self._own = [each.new_empty((n_rows, each.shape[1], 0, each.shape[3])) for each in self._shared]

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any) -> tuple[Tensor, Tensor]:
        """Add each row's next keys and values, and return all that its layer has to see."""
        states = (key_states, value_states)
        self.cumulative_length += key_states.shape[-2]
        self._own = [torch.cat(pair, dim=-2) for pair in zip(self._own, states, strict=True)]
        if (apart := _apart.get()) is not None and type(self) is _SharingLayer:
            return apart.given(self._own, self._shared)
        keys, values = (with_beginning(own, shared) for own, shared in zip(self._own, self._shared, strict=True))
        return keys, values

    def get_seq_length(self) -> int:
        """The tokens of each text so far."""
        return self.cumulative_length

    def batch_select_indices(self, indices: Tensor) -> None:
        """Go on with these rows; one that is named twice becomes two."""
        self._own = [own[indices.to(own.device)] for own in self._own]

    def cut_to(self, length: int) -> None:
        """Go on behind the first `length` tokens of each text; those of the beginning stay."""
        n_own = length - self._n_beginning
        self._own, self.cumulative_length = [own[:, :, :n_own] for own in self._own], length


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


def cut(cache: DynamicCache, length: int) -> DynamicCache:
    """A copy of a cache of `sharing` that holds the first `length` tokens of each text: rows were filled up at the end.

    No shorter than what they share.
    """
    twin = copy.copy(cache)
    twin.layers = [copy.copy(layer) for layer in cache.layers]
    for layer in twin.layers:
        if isinstance(layer, _SharingLayer):
            layer.cut_to(length)
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


def row_bytes(beginning: DynamicCache, n_more: int, n_heads: int, is_apart: bool = False) -> int:
    """The most that a row of `sharing` takes, with `n_more` tokens of its own.

    Its own keys and values, and those of one whole layer while it runs: put together, and once for each of `n_heads`
    query heads, as some attention code has them; not so where the shared keys are kept apart (`keys_apart`).
    """
    layers = [_keys_and_values(layer) for layer in beginning.layers if _is_used(layer)]
    of_token = sum(each[0, :, 0].nbytes for layer in layers for each in layer)
    whole = max((_whole_bytes(layer, n_more, n_heads) for layer in layers), default=0)
    return n_more * of_token + (0 if is_apart else whole)


def _whole_bytes(layer: Sequence[Tensor], n_more: int, n_heads: int) -> int:
    length = layer[0].shape[-2] + n_more
    return sum(each[0, 0, 0].nbytes * length * (each.shape[1] + n_heads) for each in layer)


def _keys_and_values(layer: Any) -> tuple[Tensor, Tensor]:
    return layer.keys, layer.values
