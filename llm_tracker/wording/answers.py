"""An answer in a sentence: its text in quotation marks, and how it ended."""

from __future__ import annotations

from llm_tracker.tracing.session import Turn
from llm_tracker.wording.formats import quoted


def named_answer(turn: Turn) -> str:
    """The answer, or its beginning, in quotation marks, with a space in front; "" of an empty one."""
    if len(turn.answer) > LONG_ANSWER:
        return f" {quoted(turn.answer[:LONG_ANSWER].rstrip())[:-1]} …”"
    return f" {quoted(turn.answer)}" if turn.answer else ""


LONG_ANSWER = 40
"""Characters that a sentence quotes of an answer."""


def ending_note(turn: Turn) -> str:
    """How an answer ended, where it did not end by itself."""
    if turn.ended == "limit":
        return f" (cut after {turn.trace.n_steps} tokens)"
    return " (stopped by you)" if turn.ended == "stopped" else ""
