"""The logit lens (nostalgebraist, 2020) of all layers at all positions of a turn: what each would write next."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llm_tracker.analysis.read_out import ReadOut, chunk_rows, joined, read_out
from llm_tracker.analysis.watch_tokens import watch_token_id
from llm_tracker.errors import Cancelled
from llm_tracker.tracing.reading import read_positions
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.tokens import token_text
from llm_tracker.tracing.trace import FloatArray, IntArray

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel

N_BEST = 3
"""Candidates kept of every layer and position."""


@dataclass(frozen=True, eq=False)
class PositionLens:
    """What every layer would write after every position of a turn: its prompt, and its answer but the last token."""

    tokens: tuple[str, ...]
    """(position)."""
    top_token_ids: IntArray
    """(layer, position, candidate), best first."""
    top_tokens: Mapping[int, str]
    """The text of each token id among them."""
    top_probs: FloatArray
    """(layer, position, candidate)."""
    next_prob: FloatArray
    """(layer, position): of the token that does come next."""
    watched: Mapping[str, FloatArray]
    """By watch word: the probability (layer, position) of its first token, cut as at the answer's first position."""

    def frame(self) -> pd.DataFrame:
        """A row for each layer (from 1) and position: token, best, best_prob, next_prob, and “prob of …” each word."""
        n_layers, n_positions, _ = self.top_probs.shape
        return pd.DataFrame(
            {
                "layer": np.repeat(np.arange(1, n_layers + 1), n_positions),
                "position": np.tile(np.arange(n_positions), n_layers),
                "token": list(self.tokens) * n_layers,
                "best": [self.top_tokens[token_id] for token_id in self.top_token_ids[..., 0].ravel().tolist()],
                "best_prob": self.top_probs[..., 0].ravel(),
                "next_prob": self.next_prob.ravel(),
                **{f"prob of {word}": prob.ravel() for word, prob in self.watched.items()},
            }
        )


def position_lens(model: LoadedModel, turn: Turn, words: Sequence[str] = ()) -> PositionLens:
    """The lens of all layers at all positions of a turn. Takes about as long as its matrix products; see `stream`."""
    reading = stream_position_lens(model, turn, words)
    while True:
        try:
            next(reading)
        except StopIteration as finished:
            lens: PositionLens = finished.value
            return lens


def stream_position_lens(
    model: LoadedModel, turn: Turn, words: Sequence[str] = (), stop: Callable[[], bool] = lambda: False
) -> Generator[float, None, PositionLens]:
    """The same, chunk after chunk, yielding the share that is done.

    The text is read once more in pieces, and of each the rows of all layers go through the model's tail. Raises
    Cancelled where `stop` says so between two chunks, InputError for a word without tokens.
    """
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()]
    word_ids = {word: watch_token_id(model, turn.trace, word) for word in words}
    n_positions, pieces = len(ids) - 1, list[ReadOut]()
    done, total = 0, n_positions * len(model.layers)
    chunk = chunk_rows(model)
    for resid in read_positions(model, ids[:-1], stop):
        first, length = done // len(model.layers), resid.shape[1]
        following = np.array(ids[first + 1 : first + length + 1])
        asked = np.stack([following, *(np.full(length, each) for each in word_ids.values())], axis=1)
        rows, asked = resid.reshape(-1, resid.shape[-1]), np.tile(asked, (len(model.layers), 1))
        parts = []
        for start in range(0, len(rows), chunk):
            if stop():
                raise Cancelled("Stopped before every position was read. Nothing was changed.")
            span = slice(start, start + chunk)
            parts.append(read_out(model, rows[span], asked[span], N_BEST, ranks=False))
            yield (done + min(start + chunk, len(rows))) / total
        done += len(rows)
        pieces.append(_by_layer(joined(parts), len(model.layers)))
    return _assembled(model, turn, pieces, list(word_ids))


def _by_layer(read: ReadOut, n_layers: int) -> ReadOut:
    """Rows as (layer, position) ones."""
    return ReadOut(**{name: rows.reshape(n_layers, -1, rows.shape[-1]) for name, rows in vars(read).items()})


def _assembled(model: LoadedModel, turn: Turn, pieces: list[ReadOut], words: list[str]) -> PositionLens:
    whole = joined(pieces, axis=1)
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids[:-1].tolist()]
    return PositionLens(
        tokens=tuple(token_text(model.tokenizer, token_id) for token_id in ids),
        top_token_ids=whole.top_token_ids,
        top_tokens={each: token_text(model.tokenizer, each) for each in np.unique(whole.top_token_ids).tolist()},
        top_probs=whole.top_probs,
        next_prob=whole.prob[..., 0],
        watched={word: whole.prob[..., 1 + at] for at, word in enumerate(words)},
    )
