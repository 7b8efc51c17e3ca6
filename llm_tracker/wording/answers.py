"""An answer in a sentence: its text in quotation marks, and how it ended."""

from __future__ import annotations

import re

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.thoughts import Thought
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.correction.edits import EDITED, edit_label
from llm_tracker.wording.formats import in_quotes, quoted, shown


def named_answer(turn: Turn) -> str:
    """The answer, or its beginning, in quotation marks, with a space in front; "" of an empty one."""
    return f" {quoted_answer(turn.answer)}" if turn.answer else ""


def quoted_answer(answer: str) -> str:
    """An answer, or its beginning, in quotation marks."""
    if len(answer) <= LONG_ANSWER:
        return quoted(answer)
    return in_quotes(f"{shown(answer[:LONG_ANSWER].strip())} …")


def number_of(turn: Turn, step: int) -> int:
    """A token's place in the answer, or in its thought, from 1."""
    return step + 1 if step < turn.answer_steps.start else step + 1 - turn.answer_steps.start


def named_token(turn: Turn, step: int) -> str:
    """A token by its place: “token 2”, or “token 2 of its thought”."""
    at = number(number_of(turn, step))
    return say("token {n} of its thought", n=at) if step < turn.answer_steps.start else say("token {n}", n=at)


def place_of_token(turn: Turn, step: int) -> str:
    """A token by its place and how many there are: “token 2 of 3”, or “token 5 of 40 in its thought”."""
    n_thought, at = turn.answer_steps.start, number(number_of(turn, step))
    if step < n_thought:
        return say("token {n} of {all} in its thought", n=at, all=number(n_thought))
    return say("token {n} of {all}", n=at, all=number(len(turn.answer_steps)))


def sentence_end(text: str) -> str:
    """A sentence with its full stop; what it ends with may have brought one."""
    return text if re.search("[.!?][“”]$", text) else f"{text}."


LONG_ANSWER = 40
"""Characters that a sentence quotes of an answer."""


def ending_note(turn: Turn) -> str:
    """How an answer ended, where it did not end by itself, and what was changed in the model while it was written."""
    return f"{_ended(turn)}{'' if turn.edit is None else f' · {say(EDITED)}{edit_label(turn.edit)}'}"


def _ended(turn: Turn) -> str:
    if not turn.has_answer:
        is_stopped = turn.ended == "stopped"
        return f" ({say('stopped by you within its thought') if is_stopped else say('ended within its thought')})"
    if turn.ended == "limit":
        return f" ({say('cut after {n} tokens', n=number(len(turn.answer_steps)))})"
    return f" ({say('stopped by you')})" if turn.ended == "stopped" else ""


CLOSED = {
    "limit": later("closed at its limit"),
    "reader": later("closed by you"),
    "": later("without an end"),
}
"""How a thought ended, where it did not end by itself."""


def no_answer(turn: Turn) -> str:
    """What to do where no answer came."""
    if turn.ended == "stopped":
        return say("You stopped it before its answer. “Skip the rest of the thought” lets the answer come.")
    return say(
        "The model ended within its thought. A lower limit, or “Skip the rest of the thought”, closes the thought so "
        "that an answer comes."
    )


def thought_note(thought: Thought) -> str:
    """How long a thought is, and how it ended where it did not end by itself."""
    told = say("{n} tokens with its marks", n=number(thought.n_steps, ","))
    return told if thought.closed_by == "model" else f"{told}, {say(CLOSED[thought.closed_by])}"
