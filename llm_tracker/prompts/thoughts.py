"""A thought: what a model that reasons first writes before its answer, and the switch for that. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say

ClosedBy = Literal["model", "limit", "reader", ""]
"""Who ended a thought: the model, its limit of tokens, whoever pressed Skip; or nobody: it has no end."""

MOST_SPACE = 4
"""White space in front of a thought or behind it, in tokens at most: behind more of it comes an answer."""


@dataclass(frozen=True)
class ThoughtMarks:
    """What stands around a thought, white space included."""

    opening: str
    closing: str
    in_field: bool = False
    """Whether the template reads the thought of an earlier answer from a field of its own, not from its text."""
    header: str = ""
    """What stands in front of an answer that comes without a thought, where answers have a mark of their own."""

    def begins(self, text: str) -> bool | None:
        """Whether a text begins with one of these marks; None where it is too short to tell."""
        begun = text.lstrip()
        if len(text) - len(begun) > MOST_SPACE:
            return False
        marks = [mark for mark in (self.opening.strip(), self.header.strip()) if mark]
        if any(begun.startswith(mark) for mark in marks):
            return True
        return None if any(mark.startswith(begun) for mark in marks) else False

    def opened_by(self, prompt: str) -> bool:
        """Whether a prompt ends within a thought."""
        text = prompt.rstrip()
        return text.endswith(self.opening.strip()) and not text.endswith(self.closing.strip())

    def end_in(self, text: str) -> int | None:
        """The character behind the thought at the beginning of a text; None where it does not end."""
        if self.header and text.lstrip().startswith(self.header.strip()):
            return text.index(self.header.strip()) + len(self.header.strip())
        found = text.find(self.closing.strip())
        return None if found < 0 else found + len(self.closing.strip())

    def inside(self, thought: str) -> str:
        """A thought without its marks and outer white space."""
        text = thought.strip()
        if self.header and text == self.header.strip():
            return ""
        return text.removeprefix(self.opening.strip()).removesuffix(self.closing.strip()).strip()

    def closed(self, thought: str) -> str:
        """A thought with its end, where it has none."""
        return thought if self.end_in(thought) is not None else f"{thought.rstrip()}{self.closing}"


@dataclass(frozen=True)
class Thought:
    """What a model wrote before its answer."""

    n_steps: int
    """Its tokens, marks and the white space behind them included: the answer begins at this step."""
    text: str
    """Without its marks and outer white space."""
    closed_by: ClosedBy
    with_answer: str
    """The thought and the answer behind it as the tokenizer decodes them, without special tokens."""


@dataclass(frozen=True)
class ThinkingSwitch:
    """An argument of a chat template that turns thoughts on and off."""

    name: str
    on: bool
    """The value that turns them on."""
    is_on: bool | None
    """What the template does where it is not given; None where it leaves that to the model."""

    def argument(self, thinking: bool) -> Mapping[str, bool]:
        """What the template is to be given."""
        return {self.name: self.on if thinking else not self.on}


@dataclass(frozen=True)
class Reasoning:
    """How a model reasons before it answers."""

    marks: ThoughtMarks
    switch: ThinkingSwitch | None
    """None where its template has none."""
    always: bool
    """Whether it always does without a switch; else its tokens have marks of a thought, and nothing says more."""


NO_ARGUMENT: Mapping[str, bool] = MappingProxyType({})


def thinking_by_default(recipe: str) -> bool | None:
    """Whether thoughts are on where nobody chose: off for one-word answers; None leaves it to the template."""
    return False if recipe == "one-word" else None


def resolved_thinking(
    reasoning: Reasoning | None, thinking: bool | None, by_default: bool | None
) -> tuple[bool, Mapping[str, bool]]:
    """Whether a model may think, and what its template is to be told of that.

    `thinking` is what was asked for; where that is None, `by_default`, or else what the template does by itself. Raises
    InputError for a thought asked of a model that knows none, or that cannot be turned off.
    """
    if reasoning is None:
        if thinking:
            raise InputError(say("This model's chat template and tokenizer know no thoughts. Leave thinking out."))
        return False, NO_ARGUMENT
    if reasoning.switch is None:
        if thinking is False and reasoning.always:
            raise InputError(
                say(
                    "This model's chat template has no switch for its thoughts. Give them a limit of 0 tokens: "
                    "each is closed as soon as it begins."
                )
            )
        return thinking is not False, NO_ARGUMENT
    wanted = next((each for each in (thinking, by_default, reasoning.switch.is_on) if each is not None), None)
    return (True, NO_ARGUMENT) if wanted is None else (wanted, reasoning.switch.argument(wanted))
