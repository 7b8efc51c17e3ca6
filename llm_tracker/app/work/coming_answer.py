"""An answer while it is being written: where it will stand, and what there is of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
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
    side: Literal["before", "after"] = "before"
    """Where it will stand."""
    joins: TurnRef | None = None
    """Of a question that another model has answered: that answer, beside which it will stand."""
    text: str = ""
    n_tokens: int = 0
    first_token_at: float = 0.0
    last_token_at: float = 0.0

    def wrote(self, token: TokenEvent) -> None:
        """Note one more token; the one that ends an answer is no part of its text."""
        now = time.monotonic()
        self.first_token_at = self.first_token_at or now
        self.n_tokens, self.last_token_at = self.n_tokens + 1, now
        if not token.is_end:
            self.text = token.text

    def pace(self) -> tuple[float, float] | None:
        """Seconds per token, and at most how many are left; None before the second token."""
        if self.n_tokens < 2:
            return None
        per_token = (self.last_token_at - self.first_token_at) / (self.n_tokens - 1)
        return per_token, per_token * (self.max_new_tokens - self.n_tokens)
