"""What every layer would write after every position of a turn, by the logit lens (nostalgebraist, 2020). A value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from llm_tracker.tracing.trace import FloatArray, IntArray, StreamSite, WatchedLens

Cell = tuple[int, int]
"""Layer (from 1) and position (from 0)."""


@dataclass(frozen=True, eq=False)
class PositionLens:
    """What every layer would write after every position of a turn: its prompt, and its answer but the last token."""

    site: StreamSite
    """Where the stream is read: after each layer, or between its attention and its MLP."""
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
    next_rank: IntArray
    """(layer, position): its rank, 1 = best."""
    entropy: FloatArray
    """(layer, position): how spread out the layer's prediction is, in nats."""
    kl: FloatArray
    """(layer, position): KL(final || layer), how far it is from the model's own prediction, in nats (Belrose et al.,
    2023); 0 after the last layer."""
    watched: Mapping[str, WatchedLens]
    """By watch word: its first token, cut as at the answer's first position; arrays are (layer, position)."""

    @property
    def n_layers(self) -> int:
        """Decoder layers."""
        return len(self.top_probs)

    @property
    def n_bytes(self) -> int:
        """What its arrays take."""
        own = (self.next_token_ids, self.top_token_ids, self.top_probs, self.next_prob, self.next_rank)
        watched = [each for lens in self.watched.values() for each in (lens.logit, lens.prob, lens.rank)]
        return sum(array.nbytes for array in (*own, self.entropy, self.kl, *watched))

    @property
    def n_right(self) -> IntArray:
        """(layer): at how many positions the layer's likeliest token is the one that does come next."""
        right: IntArray = (self.top_token_ids[..., 0] == self.next_token_ids).sum(-1)
        return right

    def lead(self, word: str, over: str) -> FloatArray:
        """(layer, position): the logit of one watch word minus another's, in nats."""
        difference: FloatArray = self.watched[word].logit - self.watched[over].logit
        return difference

    def frame(self, first: int = 0, last: int | None = None) -> pd.DataFrame:
        """A row for each layer (from 1) and position (from 0): of all, or from `first` to before `last`.

        Columns: token, best, best_prob, next_prob, next_rank, entropy_nats, kl_nats, and “prob of …”, “rank of …” and
        “logit of …” each watch word.
        """
        span = slice(first, len(self.tokens) if last is None else last)
        positions = np.arange(len(self.tokens))[span]
        best = self.top_token_ids[:, span, 0].ravel().tolist()
        words = {
            f"{name} of {word}": getattr(lens, name)[:, span].ravel()
            for word, lens in self.watched.items()
            for name in ("prob", "rank", "logit")
        }
        return pd.DataFrame(
            {
                "layer": np.repeat(np.arange(1, self.n_layers + 1), len(positions)),
                "position": np.tile(positions, self.n_layers),
                "token": list(self.tokens[span]) * self.n_layers,
                "best": [self.top_tokens[token_id] for token_id in best],
                "best_prob": self.top_probs[:, span, 0].ravel(),
                "next_prob": self.next_prob[:, span].ravel(),
                "next_rank": self.next_rank[:, span].ravel(),
                "entropy_nats": self.entropy[:, span].ravel(),
                "kl_nats": self.kl[:, span].ravel(),
                **words,
            }
        )

    def cell(self, layer: int, position: int) -> pd.DataFrame:
        """The best candidates of one layer (from 1) at one position (from 0): rank, token_id, token, prob."""
        ids = self.top_token_ids[layer - 1, position].tolist()
        return pd.DataFrame(
            {
                "rank": range(1, len(ids) + 1),
                "token_id": ids,
                "token": [self.top_tokens[token_id] for token_id in ids],
                "prob": self.top_probs[layer - 1, position],
            }
        )
