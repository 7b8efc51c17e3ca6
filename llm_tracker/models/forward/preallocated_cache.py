"""A KV cache for a text whose length is known beforehand: its memory is taken at once.

transformers' dynamic layers put all that they hold into a new, larger piece of memory for every token or piece of text.
That copies a long text at every step, and the pieces leave holes that nothing else fits: between other work that comes
and goes, such as chunks of logits, reading a long text took up to 100 MiB more than it held.
"""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

MOST_SPARE = 1.125
"""What is kept may lie in memory of so many times its size."""


class PreallocatedLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values (batch, head, position, d_head) of one layer, in memory for `room` positions.

    What `begun` holds is copied at the first update, and never changed.
    """

    def __init__(self, room: int, begun: DynamicLayer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._room = room
        self._memory: tuple[Tensor, Tensor] | None = None
        if begun.keys is not None and begun.values is not None:
            self.lazy_initialization(begun.keys, begun.values)
            self.keys, self.values = begun.keys, begun.values

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write the next positions behind those that are held, and return all that are held now."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        if self._memory is None:
            self._memory = self._with_room(self.keys, key_states), self._with_room(self.values, value_states)
        begun = self.get_seq_length()
        ended = begun + key_states.shape[-2]
        keys, values = self._memory
        keys[..., begun:ended, :] = key_states
        values[..., begun:ended, :] = value_states
        self.keys, self.values = keys[..., :ended, :], values[..., :ended, :]
        return self.keys, self.values

    def _with_room(self, held: Tensor | None, states: Tensor) -> Tensor:
        """Memory in the shape of these states, with what is held at its beginning."""
        memory = states.new_empty((*states.shape[:-2], self._room, states.shape[-1]))
        if held is not None and held.numel():
            memory[..., : held.shape[-2], :] = held
        return memory


def preallocate(cache: DynamicCache, length: int) -> None:
    """Give the layers of a cache that grow with the text room for `length` positions, those that it holds included."""
    cache.layers = [
        PreallocatedLayer(length, layer) if type(layer) is DynamicLayer else layer for layer in cache.layers
    ]


def compact(cache: DynamicCache) -> DynamicCache:
    """A copy that holds what the cache holds, with hardly any room besides, and that grows by itself."""
    twin = copy.copy(cache)
    twin.layers = [
        _compact(layer) if isinstance(layer, PreallocatedLayer) else copy.copy(layer) for layer in cache.layers
    ]
    return twin


def _compact(layer: PreallocatedLayer) -> DynamicLayer:
    plain = DynamicLayer()  # type: ignore[no-untyped-call]
    if layer.keys is not None and layer.values is not None:
        plain.lazy_initialization(layer.keys, layer.values)
        plain.keys, plain.values = _fitting(layer.keys), _fitting(layer.values)
    return plain


def _fitting(held: Tensor) -> Tensor:
    """The same in memory of its own, unless the memory that it lies in is hardly larger."""
    return held if held.untyped_storage().nbytes() <= MOST_SPARE * held.nbytes else held.clone()
