"""Read a text once more for what its every position held: what is not kept while a model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import DynamicCache

from llm_tracker.errors import Cancelled
from llm_tracker.models.adapter import hidden_state
from llm_tracker.models.attention import once_each
from llm_tracker.models.forward import forward, new_cache
from llm_tracker.models.kv_caches import is_plain
from llm_tracker.tracing.trace import FloatArray

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel

PIECE_TOKENS = 256
"""Positions whose residual stream is held at a time; all of them where a model keeps a state and no keys and values."""


def read_positions(
    model: LoadedModel, token_ids: Sequence[int], stop: Callable[[], bool] = lambda: False
) -> Iterator[FloatArray]:
    """The residual stream of every position, piece after piece: (layer, position, d_model), after each layer.

    Raises Cancelled where `stop` says so between two pieces.
    """
    cache = new_cache(model.model)
    piece = PIECE_TOKENS if cache is not None and is_plain(cache) else len(token_ids)
    for start in range(0, len(token_ids), piece):
        if stop():
            raise Cancelled("Stopped before every position was read. Nothing was changed.")
        yield _piece(model, token_ids[start : start + piece], cache)


def _piece(model: LoadedModel, token_ids: Sequence[int], cache: DynamicCache | None) -> FloatArray:
    stream: list[Tensor] = []

    def see(_layer: Any, _args: Any, output: Any) -> None:
        stream.append(hidden_state(output)[0])

    with model.running, torch.inference_mode(), ExitStack() as stack:
        for layer in once_each(model.layers):
            stack.callback(layer.register_forward_hook(see).remove)
        ids = torch.tensor([list(token_ids)], device=model.model.device)
        forward(model.model, ids, cache)
        resid: FloatArray = torch.stack(stream).float().cpu().numpy()
    return resid
