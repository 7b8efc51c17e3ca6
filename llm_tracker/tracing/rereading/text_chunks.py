"""A text in chunks, to be read once more: what is not kept while a model answers is looked up so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import DynamicCache

from llm_tracker.errors import Cancelled
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.forward_pass import new_cache
from llm_tracker.models.forward.kv_caches import is_plain

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

CHUNK_POSITIONS = 128
"""Positions that are read at a time; all of them where a model keeps a state and no keys and values."""


@dataclass(frozen=True, eq=False)
class TextChunk:
    """The next tokens of a text, to be read behind what the cache holds."""

    start: int
    """The position of its first token."""
    token_ids: Tensor
    """(1, position), on the model's device."""
    cache: DynamicCache | None

    @property
    def span(self) -> slice:
        """Its positions."""
        return slice(self.start, self.start + self.token_ids.shape[1])


def text_chunks(
    model: LoadedModel,
    token_ids: Sequence[int],
    stop: Callable[[], bool] = lambda: False,
    most: int | None = None,
) -> Iterator[TextChunk]:
    """The chunks of a text, of `most` tokens (`CHUNK_POSITIONS` unless given): whoever takes one reads it.

    A text that has to be read in one piece is one chunk. Raises Cancelled where `stop` says so between two chunks.
    """
    cache, n_positions, switch = new_cache(model.model), len(token_ids), rope_switch(model.model)
    # Past its switch a RoPE that changes with length reads pieces in another way than the whole.
    in_pieces = cache is not None and is_plain(cache) and (switch is None or n_positions <= switch.length)
    length = (most or CHUNK_POSITIONS) if in_pieces else n_positions
    for start in range(0, n_positions, length):
        if stop():
            raise Cancelled(say("Stopped before every position was read. Nothing was changed."))
        ids = torch.tensor([list(token_ids[start : start + length])], device=model.input_device)
        yield TextChunk(start, ids, cache)
