"""An answer while it is being written: where it will stand, and what there is of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from llm_tracker.app.work.turn_ref import TurnRef

if TYPE_CHECKING:
    from llm_tracker.tracing.run import TokenEvent


@dataclass(eq=False)
class ComingAnswer:
    """Written by the worker, read by pages. Times are seconds on the monotonic clock."""

    form: Literal["ask", "correct"]
    """Where it was asked for: its Stop stands there, and what went wrong."""
    said: str = ""
    """The question or correction that is being answered."""
    max_new_tokens: int = 0
    max_thought_tokens: int = 0
    side: Literal["before", "after"] = "before"
    """Where it will stand."""
    joins: TurnRef | None = None
    """Of a question that another model has answered: that answer, beside which it will stand."""
    may_think: bool = False
    """Whether the model may reason first: then there is room for a thought from the beginning."""
    thought: str = ""
    """What it thought so far, where the model reasons first."""
    is_thinking: bool = False
    """Whether a thought is being written."""
    text: str = ""
    n_tokens: int = 0
    first_token_at: float = 0.0
    last_token_at: float = 0.0
    n_thought: int = 0
    """Tokens of the thought."""
    _skip: threading.Event = field(default_factory=threading.Event)

    def skip(self) -> None:
        """Ask for the rest of the thought to be left out."""
        self._skip.set()

    def skipping(self) -> bool:
        """Whether the rest of the thought is to be left out."""
        return self._skip.is_set()

    def wrote(self, token: TokenEvent) -> None:
        """Note one more token; the one that ends an answer is no part of its text."""
        now = time.monotonic()
        self.first_token_at = self.first_token_at or now
        self.n_tokens, self.last_token_at = self.n_tokens + 1, now
        self.thought, self.is_thinking, self.n_thought = token.thought, token.phase == "thought", token.n_thought
        if not token.is_end:
            self.text = token.text

    def pace(self) -> tuple[float, float] | None:
        """Seconds per token, and at most how many are left; None before the second token."""
        if self.n_tokens < 2:
            return None
        per_token = (self.last_token_at - self.first_token_at) / (self.n_tokens - 1)
        thought_left = max(0, self.max_thought_tokens - self.n_thought) if self.is_thinking else 0
        return per_token, per_token * (thought_left + self.max_new_tokens + self.n_thought - self.n_tokens)
