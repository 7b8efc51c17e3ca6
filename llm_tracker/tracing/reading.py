"""Read a text once more for what its every position held: what is not kept while a model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import DynamicCache

from llm_tracker.errors import Cancelled
from llm_tracker.models.adapter import hidden_state
from llm_tracker.tracing.trace import FloatArray

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel

PIECE_TOKENS = 128
"""Positions whose residual stream is held at a time."""


def read_positions(
    model: LoadedModel, token_ids: Sequence[int], stop: Callable[[], bool] = lambda: False
) -> Iterator[FloatArray]:
    """The residual stream of every position, piece after piece: (layer, position, d_model), after each layer.

    Each piece is written over the one before: take from it what is to be kept. Raises Cancelled where `stop` says so
    between two pieces.
    """
    cache = DynamicCache(config=model.model.config)
    resid: FloatArray = np.empty((len(model.layers), PIECE_TOKENS, model.config.hidden_size), dtype=np.float32)
    for start in range(0, len(token_ids), PIECE_TOKENS):
        if stop():
            raise Cancelled("Stopped before every position was read. Nothing was changed.")
        ids = token_ids[start : start + PIECE_TOKENS]
        _read_piece(model, ids, cache, resid[:, : len(ids)])
        yield resid[:, : len(ids)]


def _read_piece(model: LoadedModel, token_ids: Sequence[int], cache: DynamicCache, resid: FloatArray) -> None:
    """Read the next tokens, and write what comes out of each layer into `resid`."""
    layer = count()

    def see(_layer: Any, _args: Any, output: Any) -> None:
        resid[next(layer)] = hidden_state(output)[0].float().cpu().numpy()

    with model.running, torch.inference_mode(), ExitStack() as stack:
        for module in model.layers:
            stack.callback(module.register_forward_hook(see).remove)
        ids = torch.tensor([list(token_ids)], device=model.model.device)
        model.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
