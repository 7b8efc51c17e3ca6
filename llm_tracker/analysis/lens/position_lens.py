"""What every layer would write after every position of a turn, by the logit lens (nostalgebraist, 2020). A value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from llm_tracker.tracing.trace import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PositionLens:
    """What every layer would write after every position of a turn: its prompt, and its answer but the last token."""

    tokens: tuple[str, ...]
    """(position)."""
    next_token_ids: IntArray
    """(position): the token that does come next."""
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

    @property
    def n_bytes(self) -> int:
        """What its arrays take."""
        ids = self.top_token_ids.nbytes + self.next_token_ids.nbytes
        return ids + self.top_probs.nbytes + self.next_prob.nbytes + sum(prob.nbytes for prob in self.watched.values())

    @property
    def n_right(self) -> IntArray:
        """(layer): at how many positions the layer's likeliest token is the one that does come next."""
        right: IntArray = (self.top_token_ids[..., 0] == self.next_token_ids).sum(-1)
        return right

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
