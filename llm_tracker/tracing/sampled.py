"""Answers that were sampled with one seed each to the same prompt. Values only; needs no model."""

from __future__ import annotations

from dataclasses import dataclass

from llm_tracker.prompts.thoughts import Thought
from llm_tracker.tracing.session import Decoding, Ending


@dataclass(frozen=True)
class SampledAnswer:
    """One answer, as its seed wrote it."""

    seed: int
    token_ids: tuple[int, ...]
    """All that was written: the thought where there is one, the answer, and its end token where it has one."""
    text: str
    """What these tokens decode to, special tokens included."""
    answer: str
    """The answer without thought, special tokens and outer white space; empty where none came."""
    ended: Ending
    """How it ended: by the model's end token, with its line, or at the limit of tokens."""
    thought: Thought | None
    """What the model wrote before its answer, where it reasons first."""
    log_prob: float
    """Of the answer's tokens behind the thought, an end token included, in nats: the sum of log p(token | all before),
    from raw logits, before any temperature."""

    @property
    def is_cut(self) -> bool:
        """Whether it would have gone on."""
        return self.ended in ("limit", "stopped")


@dataclass(frozen=True)
class SampledAnswers:
    """What a model answers to one prompt when it is asked several times."""

    answers: tuple[SampledAnswer, ...]
    """By seed: `decoding.seed`, and one more each time."""
    decoding: Decoding
    """How they were sampled; its seed is the first answer's."""
