"""One head's whole attention pattern: what every position of a text looked at. The text is read once more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.attention_rows import pattern_in
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import after, put_on
from llm_tracker.models.forward.pattern_edits import edited_patterns
from llm_tracker.progress import ended
from llm_tracker.tracing.rereading.found import HeadPattern
from llm_tracker.tracing.rereading.text_chunks import text_chunks
from llm_tracker.tracing.session import Turn, require_unedited
from llm_tracker.tracing.trace import FloatArray

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

MOST_BYTES = 64 * 2**20
"""What a pattern may take: of a longer text only its last queries are kept."""


def head_pattern(model: LoadedModel, turn: Turn, layer: int, head: int) -> HeadPattern:
    """One head's pattern over a turn's prompt and answer, which are read once more. Layer and head count from 1.

    Of a long text only the last queries are kept. Raises InputError for a layer or head that is not there, and for an
    edited answer.
    """
    return ended(stream_head_pattern(model, read_ids(turn), layer, head))


def read_ids(turn: Turn) -> list[int]:
    """The tokens of a turn's prompt and answer, to be read once more. Raises InputError for an edited answer."""
    require_unedited(turn)
    return [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()]


def stream_head_pattern(
    model: LoadedModel,
    token_ids: Sequence[int],
    layer: int,
    head: int,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[float, None, HeadPattern]:
    """One head's pattern over a text, yielding the share that is done. Layer and head count from 1.

    Raises InputError for a layer or head that is not there, Cancelled where `stop` says so between two chunks.
    """
    _require_head(model, layer, head)
    n_positions = len(token_ids)
    first_query = max(0, n_positions - max(1, MOST_BYTES // (4 * n_positions)))
    weights: FloatArray = np.zeros((n_positions - first_query, n_positions), dtype=np.float32)
    for chunk in text_chunks(model, token_ids, stop):
        kept: list[Tensor] = []
        with model.running, torch.inference_mode(), _seeing(model, layer - 1, kept.append):
            forward(model.model, chunk.token_ids, chunk.cache, model.way)
        rows = kept[0][head - 1].float().cpu().numpy()  # (query, key): a sliding window holds the last keys only
        start, end = chunk.span.start, chunk.span.stop
        first_kept = min(max(start, first_query), end)
        own = slice(first_kept - first_query, max(0, end - first_query))
        weights[own, end - rows.shape[1] : end] = rows[first_kept - start :]
        yield end / n_positions
    return HeadPattern(layer, head, first_query, weights)


def _require_head(model: LoadedModel, layer: int, head: int) -> None:
    heads = model.architecture.heads
    if not 1 <= layer <= len(heads):
        raise InputError(
            say("There is no layer {layer}: this model has layers 1 to {n_layers}.", layer=layer, n_layers=len(heads))
        )
    if not heads[layer - 1]:
        raise InputError(
            say("There is no attention in layer {layer}: it carries what was read in a state.", layer=layer)
        )
    if not 1 <= head <= heads[layer - 1]:
        raise InputError(
            say(
                "There is no head {head}: layer {layer} has heads 1 to {n_heads}.",
                head=head,
                layer=layer,
                n_heads=heads[layer - 1],
            )
        )


@contextmanager
def _seeing(model: LoadedModel, layer: int, see: Callable[[Tensor], object]) -> Iterator[None]:
    """Within this context `see` is given the pattern (head, query, key) of one layer (from 0) in every pass."""
    module = model.attentions[layer]
    if model.way.attention == "sdpa":

        def look(at: int, pattern: Tensor) -> Tensor:
            if at == layer:
                see(pattern[0])
            return pattern

        only = [each if each is module else None for each in model.attentions]
        with edited_patterns(only, look):
            yield
        return

    calls = iter([at for at, each in enumerate(model.attentions) if each is module])

    def look_after(_module: Any, _args: Any, _kwargs: Any, output: Any) -> None:
        pattern = pattern_in(output)
        if pattern is not None and next(calls) == layer:
            see(pattern[0])

    hooked = [] if module is None else [after(module, look_after)]
    with put_on(hooked):
        yield
