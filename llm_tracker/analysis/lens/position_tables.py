"""Computes the logit lens (nostalgebraist, 2020) of all layers at all positions of a turn, chunk after chunk."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.analysis.lens.read_out import ReadOut, read_into
from llm_tracker.analysis.lens.watch_tokens import watch_token_id
from llm_tracker.errors import Cancelled
from llm_tracker.models.memory.heap import trim_heap
from llm_tracker.progress import Told, ended
from llm_tracker.prompts.tokens import token_text
from llm_tracker.tracing.resid_by_position import read_positions
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.trace import IntArray

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_BEST = 3
"""Candidates kept of every layer and position."""

CHUNKS_TO_A_TRIM = 16
"""After so many chunks of logits the holes that they leave go back. It costs time: the next chunk's memory is new."""


def position_lens(model: LoadedModel, turn: Turn, words: Sequence[str] = ()) -> PositionLens:
    """The lens of all layers at all positions of a turn. Takes about as long as its matrix products; see `stream`."""
    return ended(stream_position_lens(model, turn, words))


def stream_position_lens(
    model: LoadedModel, turn: Turn, words: Sequence[str] = (), stop: Callable[[], bool] = lambda: False
) -> Generator[float, None, PositionLens]:
    """The same, chunk after chunk, yielding the share that is done.

    The text is read once more in parts, and of each the rows of all layers go through the model's tail. Raises
    Cancelled where `stop` says so between two chunks, InputError for a word without tokens.
    """
    ids = np.array([*turn.prompt.token_ids, *turn.trace.token_ids.tolist()])
    asked = [
        ids[1:],
        *(np.full(len(ids) - 1, watch_token_id(model, turn.trace, word, turn.first_step)) for word in words),
    ]
    token_ids = np.stack(asked, axis=1)  # (position, asked)
    n_layers, n_positions = len(model.layers), len(token_ids)
    n_best = min(N_BEST, model.architecture.vocab_size)
    whole = ReadOut.empty((n_layers, n_positions), n_best, len(asked))
    first = 0
    for resid in _trimmed(model, read_positions(model, ids[:-1].tolist(), stop), 1):
        length = resid.shape[1]
        part = ReadOut.empty((n_layers * length,), n_best, len(asked))
        of_part = np.tile(token_ids[first : first + length], (n_layers, 1))
        chunks = read_into(part, model, resid.reshape(-1, resid.shape[-1]), of_part, ranks=False)
        for done in _trimmed(model, chunks, CHUNKS_TO_A_TRIM):
            if stop():
                raise Cancelled("Stopped before every position was read. Nothing was changed.")
            yield (first * n_layers + done) / (n_positions * n_layers)
        for name, rows in vars(part).items():
            vars(whole)[name][:, first : first + length] = rows.reshape(n_layers, length, -1)
        first += length
    return _assembled(model, whole, ids, words)


def _trimmed(model: LoadedModel, work: Iterator[Told], every: int) -> Iterator[Told]:
    """The work, with the memory that it frees returned after every so many of its results, and at its end.

    On another device than the CPU nothing large comes and goes here, so that nothing is done.
    """
    trim = trim_heap if model.model.device.type == "cpu" else lambda: None
    try:
        for n_results, result in enumerate(work, 1):
            if n_results % every == 0:
                trim()
            yield result
    finally:
        trim()


def _assembled(model: LoadedModel, whole: ReadOut, ids: IntArray, words: Sequence[str]) -> PositionLens:
    return PositionLens(
        tokens=tuple(token_text(model.tokenizer, token_id) for token_id in ids[:-1].tolist()),
        next_token_ids=ids[1:],
        top_token_ids=whole.top_token_ids,
        top_tokens={each: token_text(model.tokenizer, each) for each in np.unique(whole.top_token_ids).tolist()},
        top_probs=whole.top_probs,
        next_prob=whole.prob[..., 0],
        watched={word: whole.prob[..., 1 + at] for at, word in enumerate(words)},
    )
