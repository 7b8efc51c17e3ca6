"""Read a text once more for what its every position held: what is not kept while a model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from llm_tracker.errors import Cancelled, ModelError
from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.forward_pass import forward, new_cache
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.kv_caches import is_plain
from llm_tracker.models.forward.sites import read_hooks
from llm_tracker.tracing.trace import FloatArray, StreamSite

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

CHUNK_TOKENS = 128
"""Positions whose residual stream is held at a time; all of them where a model keeps a state and no keys and values."""

CHUNK_BYTES = 48 * 2**20
"""What the residual stream of a chunk may take: of a large model it has fewer positions."""


def read_positions(
    model: LoadedModel,
    token_ids: Sequence[int],
    stop: Callable[[], bool] = lambda: False,
    site: StreamSite = "resid_post",
) -> Iterator[FloatArray]:
    """The residual stream of every position, chunk after chunk: (position, row, d_model).

    The rows are those after each layer; of the site `resid_mid`, those between each layer's attention and its MLP, and
    as a further one what comes out of the last layer. Each chunk is written over the one before: take from it what is
    to be kept. Raises ModelError for a site that this model does not have, and Cancelled where `stop` says so between
    two chunks.
    """
    places = model.sites.at(site)
    if None in places:
        raise ModelError(f"“{site}” is not there in every layer of this model.")
    cache = new_cache(model.model)
    length = len(token_ids)
    switch = rope_switch(model.model)
    in_pieces = switch is None or len(token_ids) <= switch.length  # past it, pieces would be read in another way
    if cache is not None and is_plain(cache) and in_pieces:
        length = max(1, min(CHUNK_TOKENS, CHUNK_BYTES // (4 * len(model.layers) * model.architecture.d_model)))
    n_rows = len(model.layers) + (site != "resid_post")
    resid: FloatArray = np.empty((min(length, len(token_ids)), n_rows, model.architecture.d_model), dtype=np.float32)
    for start in range(0, len(token_ids), length):
        if stop():
            raise Cancelled("Stopped before every position was read. Nothing was changed.")
        ids = token_ids[start : start + length]
        _read_chunk(model, ids, cache, resid[: len(ids)], site)
        yield resid[: len(ids)]


def _read_chunk(
    model: LoadedModel, token_ids: Sequence[int], cache: DynamicCache | None, resid: FloatArray, site: StreamSite
) -> None:
    """Read the next tokens, and write their rows of the residual stream into `resid` (position, row, d_model)."""

    def see(layer: int, rows: Tensor) -> None:
        resid[:, layer] = rows[0].float().cpu().numpy()

    def see_end(layer: int, rows: Tensor) -> None:
        if layer == len(model.layers) - 1:
            resid[:, -1] = rows[0].float().cpu().numpy()

    ends = () if site == "resid_post" else read_hooks(model.sites.at("resid_post"), see_end)
    hooks = [*read_hooks(model.sites.at(site), see), *ends]
    with model.running, torch.inference_mode(), put_on(hooks):
        ids = torch.tensor([list(token_ids)], device=model.model.device)
        forward(model.model, ids, cache, model.way.unasked)
