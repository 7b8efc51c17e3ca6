"""How likely a model is to write a whole word: all its tokens, and its end. Knows numpy only; needs no model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from llm_tracker.tracing.trace import WatchedLens

WordEnd = Literal["answer", "line", "word"]
"""What ends a word: an end token (the word is the whole answer), the line (the plain form without a chat template), or
whatever does not go on with it (in raw text, and behind the beginning of an answer)."""


Place = Literal["first", "answer"]
"""Where words are scored: at the first token of an answer, or at the one that carries it."""


@dataclass(frozen=True)
class Spelling:
    """One way to write a word."""

    text: str
    """With the space in front, where it has one."""
    token_ids: tuple[int, ...]
    log_prob: float
    """Of all its tokens and its end, in nats: the sum of log p(token | all before), by teacher forcing."""

    @property
    def prob(self) -> float:
        """The same in [0, 1]."""
        return math.exp(self.log_prob)


@dataclass(frozen=True)
class WordScore:
    """A word in several spellings: capitals or not, a space in front or not.

    Without its end a short word would have the probability of every longer one that begins so ("Au", "Australia"), and
    probabilities of words could sum to more than 1 (Oh and Schuler, 2024).
    """

    word: str
    spellings: tuple[Spelling, ...]
    """First the one that was asked for; no two have the same tokens."""
    end: WordEnd

    @property
    def log_prob(self) -> float:
        """Of the spelling that was asked for, in nats."""
        return self.spellings[0].log_prob

    @property
    def log_prob_of_all(self) -> float:
        """Of all spellings together, in nats."""
        most = max(spelling.log_prob for spelling in self.spellings)
        if most == -math.inf:
            return most
        return most + math.log(sum(math.exp(each.log_prob - most) for each in self.spellings))

    @property
    def prob(self) -> float:
        """Of all spellings together, in [0, 1]."""
        return math.exp(self.log_prob_of_all)


@dataclass(frozen=True, eq=False)
class Parting:
    """Where words part that begin with the same tokens: the logit lens behind what they share, by teacher forcing."""

    token_ids: tuple[int, ...]
    """What they share."""
    shared: str
    """The same, as text."""
    watched: Mapping[str, WatchedLens]
    """By word: its next token, at every layer."""

    def __post_init__(self) -> None:
        """Make the mapping read-only."""
        object.__setattr__(self, "watched", MappingProxyType(dict(self.watched)))
