"""A KV cache for a text whose length is known beforehand: its memory is taken at once.

transformers' dynamic layers take a new, larger piece of memory for every piece of text. Between other work that comes
and goes, such as chunks of logits, these pieces leave holes that nothing else fits: reading a long text piece by piece
took up to 100 MiB more than it held.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values (batch, head, position, d_head) of one layer, in memory for `room` positions."""

    def __init__(self, room: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._room = room

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Take the memory, and hold nothing of it yet."""
        super().lazy_initialization(key_states, value_states)
        self._all_keys, self._all_values = self._empty(key_states), self._empty(value_states)

    def _empty(self, states: Tensor) -> Tensor:
        return states.new_empty((*states.shape[:-2], self._room, states.shape[-1]))

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write the next positions behind those that are held, and return all that are held now."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begun = self.get_seq_length()
        ended = begun + key_states.shape[-2]
        self._all_keys[..., begun:ended, :] = key_states
        self._all_values[..., begun:ended, :] = value_states
        self.keys, self.values = self._all_keys[..., :ended, :], self._all_values[..., :ended, :]
        return self.keys, self.values


def give_room(cache: DynamicCache, length: int) -> None:
    """Give the layers of an empty cache that grow with the text room for `length` positions."""
    cache.layers = [RoomyLayer(length) if type(layer) is DynamicLayer else layer for layer in cache.layers]
