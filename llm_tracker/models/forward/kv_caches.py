"""What a model has read already: KV caches of earlier texts, from which a text that begins alike goes on.

A recipe's fixed beginning, an earlier turn of a conversation, the conversation that a control or another correction
branches from: all are found by the longest common beginning of their token ids. Bounded in bytes; what was used longest
ago goes first.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.forward_pass import new_cache

BUDGET_BYTES = 128 * 2**20
"""What the kept caches of one model may take: some 2,900 tokens of the built-in model, 5,900 of TinyLlama."""

FEWEST_TOKENS = 16
"""A shorter common beginning is not worth keeping or looking up."""


class KVCaches:
    """The kept KV caches of one model. Safe to use from several threads.

    A kept cache is never changed: it is used through a copy. The copy shares its tensors, since layers grow by putting
    other tensors in the old ones' place.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self.budget_bytes = budget_bytes
        self._lock = threading.RLock()
        self._kept: OrderedDict[tuple[int, ...], DynamicCache] = OrderedDict()

    @property
    def n_bytes(self) -> int:
        """What the kept caches take."""
        with self._lock:
            return sum(map(cache_bytes, self._kept.values()))

    def __len__(self) -> int:
        """How many caches are kept."""
        return len(self._kept)

    def begin(self, model: PreTrainedModel, token_ids: Sequence[int]) -> tuple[DynamicCache | None, int]:
        """A cache to read these tokens with, and how many of them it holds already; the last is always left to read.

        None of a model that has no cache.
        """
        with self._lock:
            known, n_known, switch = None, FEWEST_TOKENS - 1, rope_switch(model)
            for ids, cache in self._kept.items():
                if switch is not None and not switch.holds(len(ids), len(token_ids)):
                    continue
                usable = _usable(cache, len(ids), min(_n_common(ids, token_ids), len(token_ids) - 1))
                if usable > n_known:
                    known, n_known = ids, usable
            if known is None:
                return new_cache(model), 0
            self._kept.move_to_end(known)
            return _beginning(self._kept[known], len(known) - n_known), n_known

    def keep(self, token_ids: Sequence[int], cache: DynamicCache) -> None:
        """Keep the cache of a text that was read to its end. Caches that this one contains are let go."""
        ids = tuple(token_ids)
        if len(ids) < FEWEST_TOKENS or not is_plain(cache) or cache_bytes(cache) > self.budget_bytes:
            return
        with self._lock:
            for shorter in [known for known in self._kept if ids[: len(known)] == known]:
                if _usable(cache, len(ids), len(shorter)):
                    del self._kept[shorter]
            self._kept[ids] = copied(cache)
            self._kept.move_to_end(ids)
            while sum(map(cache_bytes, self._kept.values())) > self.budget_bytes:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Let all of them go."""
        with self._lock:
            self._kept.clear()


def copied(cache: DynamicCache) -> DynamicCache:
    """A cache that grows by itself and shares what this one holds."""
    twin = copy.copy(cache)
    twin.layers = [copy.copy(layer) for layer in cache.layers]
    return twin


def _beginning(cache: DynamicCache, n_dropped: int) -> DynamicCache:
    """A copy without the last tokens."""
    twin = copied(cache)
    if n_dropped:
        twin.crop(-n_dropped)
    return twin


def repeated(cache: DynamicCache, n_rows: int) -> DynamicCache:
    """A copy for several texts that begin alike: each row has the keys and values of the one."""
    twin = copied(cache)
    if n_rows > 1:
        twin.batch_repeat_interleave(n_rows)
    return twin


def _n_common(ids: Sequence[int], others: Sequence[int]) -> int:
    """How many tokens two texts have in common at their beginning."""
    for at, (one, other) in enumerate(zip(ids, others, strict=False)):
        if one != other:
            return at
    return min(len(ids), len(others))


def _usable(cache: DynamicCache, length: int, wanted: int) -> int:
    """How many of the first `wanted` tokens a cache of `length` can give: all, or none where it cannot be cut.

    A sliding window that has moved on has forgotten what a shorter text would need.
    """
    moved_on = any(
        isinstance(layer, DynamicSlidingWindowLayer) and layer.get_seq_length() >= layer.sliding_window
        for layer in cache.layers
    )
    return 0 if moved_on and wanted < length else wanted


def is_plain(cache: DynamicCache) -> bool:
    """Whether every layer keeps keys and values only, so that copies and cuts are sure to be right."""
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers)


def cache_bytes(cache: DynamicCache) -> int:
    """The memory that a cache takes."""
    return sum(each.untyped_storage().nbytes() for each in _tensors(cache))


def _tensors(cache: DynamicCache) -> list[Tensor]:
    layers = [layer for layer in cache.layers if isinstance(layer, DynamicLayer)]
    return [each for layer in layers for each in (layer.keys, layer.values) if each is not None]
