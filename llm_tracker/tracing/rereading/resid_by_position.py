"""Read a text once more for what its every position held: what is not kept while a model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.kv_caches import repeated
from llm_tracker.models.forward.sites import read_hooks
from llm_tracker.tracing.rereading.known_context import known_context
from llm_tracker.tracing.rereading.text_chunks import CHUNK_POSITIONS, TextChunk, text_chunks
from llm_tracker.tracing.trace import FloatArray, StreamSite

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

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
        raise ModelError(say("“{site}” is not there in every layer of this model.", site=site))
    n_rows = len(model.layers) + (site != "resid_post")
    most = max(1, min(CHUNK_POSITIONS, CHUNK_BYTES // (4 * n_rows * model.architecture.d_model)))
    resid: FloatArray = np.empty((0, n_rows, model.architecture.d_model), dtype=np.float32)
    for chunk in text_chunks(model, token_ids, stop, most):
        length = chunk.token_ids.shape[1]
        if length > len(resid):
            resid = np.empty((length, *resid.shape[1:]), dtype=np.float32)
        _read_chunk(model, chunk, resid[:length], site)
        yield resid[:length]


def _read_chunk(model: LoadedModel, chunk: TextChunk, resid: FloatArray, site: StreamSite) -> None:
    """Read the next tokens, and write their rows of the residual stream into `resid` (position, row, d_model)."""

    def see(layer: int, rows: Tensor) -> None:
        resid[:, layer] = rows[0].float().cpu().numpy()

    def see_end(layer: int, rows: Tensor) -> None:
        if layer == len(model.layers) - 1:
            resid[:, -1] = rows[0].float().cpu().numpy()

    ends = () if site == "resid_post" else read_hooks(model.sites.at("resid_post"), see_end)
    hooks = [*read_hooks(model.sites.at(site), see), *ends]
    with model.running, torch.inference_mode(), put_on(hooks):
        forward(model.model, chunk.token_ids, chunk.cache, model.way.unasked)


def resid_behind(model: LoadedModel, context: Sequence[int], more: Sequence[int]) -> FloatArray:
    """The residual stream after each layer at the last of some more tokens behind a context: (layer, d_model)."""
    resid: FloatArray = np.empty((len(model.layers), model.architecture.d_model), dtype=np.float32)

    def see(layer: int, rows: Tensor) -> None:
        resid[layer] = rows[0, -1].float().cpu().numpy()

    known = known_context(model, context, len(more))
    ids = [*context, *more] if known is None else [*context[-1:], *more]
    # A copy: what more is read is written into a cache, and this one is kept for the next answer.
    cache = None if known is None else repeated(known, 1)
    hooks = read_hooks(model.sites.at("resid_post"), see)
    with model.running, torch.inference_mode(), put_on(hooks):
        forward(model.model, torch.tensor([ids], device=model.input_device), cache, model.way.unasked)
    return resid
