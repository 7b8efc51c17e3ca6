"""Trace: what one answer did inside the model, as frozen arrays. Knows numpy only; needs no model to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

StreamSite = Literal["resid_post", "resid_mid"]
"""Where the residual stream is read: after each layer, or between its attention and its MLP."""


@dataclass(frozen=True, eq=False)
class WatchedLens:
    """One watch word's first token, read at every layer: of one step, or (layer, position) of all positions."""

    token_id: int
    token: str
    logit: FloatArray
    """(layer), raw: after cap and scale."""
    prob: FloatArray
    """(layer), in [0, 1]."""
    rank: IntArray
    """(layer), 1 = best."""

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        _freeze(self.logit, self.prob, self.rank)


@dataclass(frozen=True, eq=False)
class LeadingTokens:
    """The tokens that rank first at any layer of one step, that of the last layer first, then back to the first."""

    token_ids: IntArray
    """(token)."""
    tokens: tuple[str, ...]
    """(token)."""
    logit: FloatArray
    """(token, layer), raw."""
    prob: FloatArray
    """(token, layer), in [0, 1]."""

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        _freeze(self.token_ids, self.logit, self.prob)


@dataclass(frozen=True, eq=False)
class LensTable:
    """The logit lens of one step (nostalgebraist, 2020): what each layer's residual row would predict."""

    token_prob: FloatArray
    """(layer), of the step's own token."""
    token_rank: IntArray
    """(layer), of the step's own token; 1 = best."""
    top_token_ids: IntArray
    """(layer, candidate), best first."""
    top_tokens: tuple[tuple[str, ...], ...]
    """(layer, candidate)."""
    top_probs: FloatArray
    """(layer, candidate)."""
    watched: Mapping[str, WatchedLens] = field(default_factory=dict)
    """By watch word."""
    entropy: FloatArray | None = None
    """(layer): how spread out the layer's prediction is, in nats; None in a session of an earlier version."""
    kl: FloatArray | None = None
    """(layer): KL(final || layer), how far it is from the model's own prediction, in nats (Belrose et al., 2023);
    None in a session of an earlier version."""
    leading: LeadingTokens | None = None
    """None in a session of an earlier version."""

    def __post_init__(self) -> None:
        """Make the arrays and the mapping read-only."""
        _freeze(self.token_prob, self.token_rank, self.top_token_ids, self.top_probs)
        _freeze(*(each for each in (self.entropy, self.kl) if each is not None))
        object.__setattr__(self, "watched", MappingProxyType(dict(self.watched)))


@dataclass(frozen=True, eq=False)
class Trace:
    """What one answer did inside the model, captured while it was generated.

    Axes: step (one generated token), layer (index 0 is layer 1), depth (0 = embeddings, d = after layer d), head,
    key (position that was looked at), candidate (best first), d_model.
    """

    prompt_length: int
    """Tokens in front of the answer; step s was predicted at position prompt_length + s - 1."""
    before: str
    """The end of the prompt's text behind its last control token, to cut a word into tokens in the answer's place."""
    token_ids: IntArray
    """(step)."""
    tokens: tuple[str, ...]
    """(step), as text."""
    token_probs: FloatArray
    """(step), in [0, 1], from raw logits, before any temperature."""
    token_logits: FloatArray
    """(step), raw."""
    token_ranks: IntArray
    """(step), 1 = best; sampling may write others."""
    top_token_ids: IntArray
    """(step, candidate)."""
    top_tokens: tuple[tuple[str, ...], ...]
    """(step, candidate)."""
    top_logits: FloatArray
    """(step, candidate), raw: after cap and scale, before temperature."""
    top_probs: FloatArray
    """(step, candidate)."""
    attention: FloatArray
    """(step, layer, head, key), patterns after the softmax; zero beyond the row. The first steps, up to the budget.
    Layers with fewer heads than the most leave the last ones zero."""
    attention_mean: FloatArray | None
    """(step, layer, key), the mean over heads of all steps; None where `attention` has all steps."""
    resid: FloatArray
    """(step, depth, d_model), the residual stream before the final norm."""
    heads: tuple[int, ...] = ()
    """(layer), attention heads; 0 where the layer has no attention pattern. Left out: all heads in every layer."""
    has_sinks: bool = False
    """Whether rows may sum to less than 1: the rest went to a learned sink, which stands for no word."""
    lens: Mapping[int, LensTable] = field(default_factory=dict)
    """By step: the lens tables computed so far."""
    entropies: FloatArray | None = None
    """(step): how spread out the prediction was from which each token was chosen, in nats, before any temperature; None
    in a session of an earlier version."""

    def __post_init__(self) -> None:
        """Make everything read-only, and refuse arrays that do not belong together."""
        _freeze(self.token_ids, self.token_probs, self.token_logits, self.token_ranks)
        _freeze(self.top_token_ids, self.top_logits, self.top_probs, self.attention, self.resid)
        _freeze(*(each for each in (self.attention_mean, self.entropies) if each is not None))
        object.__setattr__(self, "lens", MappingProxyType(dict(self.lens)))
        object.__setattr__(self, "heads", self.heads or (self.attention.shape[2],) * self.n_layers)
        steps = {len(self.tokens), len(self.token_ids), len(self.top_logits), len(self.resid)}
        rows = self.attention if self.attention_mean is None else self.attention_mean
        if steps != {len(rows)} or rows.shape[-1] != self.prompt_length + self.n_steps - 1:
            raise ValueError(f"arrays of different steps: {steps}, attention {rows.shape}")

    @property
    def n_steps(self) -> int:
        """Generated tokens."""
        return len(self.token_ids)

    @property
    def n_layers(self) -> int:
        """Decoder layers."""
        return int(self.resid.shape[1]) - 1

    @property
    def n_heads(self) -> int:
        """Attention heads of the layers with most of them."""
        return int(self.attention.shape[2])

    @property
    def attending_layers(self) -> tuple[int, ...]:
        """The layers (1-based) that have an attention pattern."""
        return tuple(layer for layer, heads in enumerate(self.heads, start=1) if heads)

    @property
    def n_bytes(self) -> int:
        """What its large arrays take."""
        mean = 0 if self.attention_mean is None else self.attention_mean.nbytes
        return self.attention.nbytes + mean + self.resid.nbytes

    def head_mean(self, step: int, layer: int) -> FloatArray:
        """The mean over heads of one step's attention row in one layer (1-based): (key), without the zeros beyond."""
        length = self.prompt_length + step
        if self.attention_mean is None:
            mean: FloatArray = self.attention[step, layer - 1, : self.heads[layer - 1], :length].mean(0)
            return mean
        return self.attention_mean[step, layer - 1, :length]


def _freeze(*arrays: NDArray[np.generic]) -> None:
    for array in arrays:
        array.setflags(write=False)
