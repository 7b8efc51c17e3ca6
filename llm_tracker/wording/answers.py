"""An answer in a sentence: its text in quotation marks, and how it ended."""

from __future__ import annotations

from llm_tracker.prompts.thoughts import Thought
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.correction.edits import EDITED, edit_label
from llm_tracker.wording.formats import quoted


def named_answer(turn: Turn) -> str:
    """The answer, or its beginning, in quotation marks, with a space in front; "" of an empty one."""
    if len(turn.answer) > LONG_ANSWER:
        return f" {quoted(turn.answer[:LONG_ANSWER].rstrip())[:-1]} …”"
    return f" {quoted(turn.answer)}" if turn.answer else ""


def number_of(turn: Turn, step: int) -> int:
    """A token's place in the answer, or in its thought, from 1."""
    return step + 1 if step < turn.answer_steps.start else step + 1 - turn.answer_steps.start


def named_token(turn: Turn, step: int) -> str:
    """A token by its place: “token 2”, or “token 2 of its thought”."""
    return f"token {number_of(turn, step)}{' of its thought' if step < turn.answer_steps.start else ''}"


def place_of_token(turn: Turn, step: int) -> str:
    """A token by its place and how many there are: “token 2 of 3”, or “token 5 of 40 in its thought”."""
    n_thought, number = turn.answer_steps.start, number_of(turn, step)
    if step < n_thought:
        return f"token {number} of {n_thought} in its thought"
    return f"token {number} of {len(turn.answer_steps)}"


def sentence_end(text: str) -> str:
    """A sentence with its full stop; what it ends with may have brought one."""
    return text if text.endswith((".”", "!”", "?”")) else f"{text}."


LONG_ANSWER = 40
"""Characters that a sentence quotes of an answer."""


def ending_note(turn: Turn) -> str:
    """How an answer ended, where it did not end by itself, and what was changed in the model while it was written."""
    return f"{_ended(turn)}{'' if turn.edit is None else f' · {EDITED}{edit_label(turn.edit)}'}"


def _ended(turn: Turn) -> str:
    if not turn.has_answer:
        return f" ({'stopped by you' if turn.ended == 'stopped' else 'ended'} within its thought)"
    if turn.ended == "limit":
        return f" (cut after {len(turn.answer_steps)} tokens)"
    return " (stopped by you)" if turn.ended == "stopped" else ""


CLOSED = {
    "model": "",
    "limit": ", closed at its limit",
    "reader": ", closed by you",
    "": ", without an end",
}
"""How a thought ended, where it did not end by itself."""


def no_answer(turn: Turn) -> str:
    """What to do where no answer came."""
    if turn.ended == "stopped":
        return "You stopped it before its answer. “Skip the rest of the thought” lets the answer come."
    return (
        "The model ended within its thought. A lower limit, or “Skip the rest of the thought”, closes the thought so "
        "that an answer comes."
    )


def thought_note(thought: Thought) -> str:
    """How long a thought is, and how it ended where it did not end by itself."""
    return f"{thought.n_steps:,} tokens with its marks{CLOSED[thought.closed_by]}"
