"""An answer in a sentence: its text in quotation marks, and how it ended."""

from __future__ import annotations

from llm_tracker.prompts.thoughts import Thought
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
    if not turn.has_answer:
        return f" ({'stopped by you' if turn.ended == 'stopped' else 'ended'} within its thought)"
    if turn.ended == "limit":
        n_thought = turn.thought.n_steps if turn.thought else 0
        return f" (cut after {turn.trace.n_steps - n_thought} tokens)"
    return " (stopped by you)" if turn.ended == "stopped" else ""


CLOSED = {
    "model": "",
    "limit": ", closed at its limit",
    "reader": ", closed by you",
    "": ", without an end",
}
"""How a thought ended, where it did not end by itself."""


def thought_note(thought: Thought) -> str:
    """How long a thought is, and how it ended where it did not end by itself."""
    return f"{thought.n_steps} token{'' if thought.n_steps == 1 else 's'}{CLOSED[thought.closed_by]}"
