"""How a chat model reasons before it answers: the marks around a thought, and the switch that turns thoughts off.

Both are found in what the model's own files say: in the text of its chat template, in what that writes, and in the
tokenizer's added tokens. No model is known by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from llm_tracker.errors import InputError
from llm_tracker.prompts.chat_template import (
    ANSWER,
    ANSWER_WITH_THOUGHT,
    ASKED,
    QUESTION,
    SAID,
    THOUGHT,
    TemplateUse,
    render_or_nothing,
    template_text,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ClosedBy = Literal["model", "limit", "reader", ""]
"""Who ended a thought: the model, its limit of tokens, whoever pressed Skip; or nobody: it has no end."""


MOST_SPACE = 4
"""White space in front of a mark, in characters: behind more of it a text is an answer."""


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
        """Whether a text begins with a thought, or with the mark of an answer; None where it is too short to tell."""
        begun = text.lstrip()
        if len(text) - len(begun) > MOST_SPACE:
            return False
        marks = [mark for mark in (self.opening.strip(), self.header.strip()) if mark]
        if any(begun.startswith(mark) for mark in marks):
            return True
        return None if any(mark.startswith(begun) for mark in marks) else False

    def opened_by(self, prompt: str) -> bool:
        """Whether a prompt ends within a thought."""
        return prompt.rstrip().endswith(self.opening.strip())

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


@dataclass(frozen=True)
class Thought:
    """What a model wrote before its answer."""

    n_steps: int
    """Its tokens, marks and the white space behind them included: the answer begins at this step."""
    text: str
    """Without its marks and outer white space."""
    closed_by: ClosedBy


@dataclass(frozen=True)
class ThinkingSwitch:
    """An argument of a chat template that turns thoughts on and off."""

    name: str
    on: bool
    """The value that turns them on."""
    is_on: bool
    """What the template does where it is not given."""

    def argument(self, thinking: bool) -> dict[str, bool]:
        """What the template is to be given."""
        return {self.name: self.on if thinking else not self.on}


@dataclass(frozen=True)
class Reasoning:
    """How a model reasons before it answers."""

    marks: ThoughtMarks
    switch: ThinkingSwitch | None
    """None where it always does."""


def reasoning_of(tokenizer: PreTrainedTokenizerBase) -> Reasoning | None:
    """How a model reasons before it answers; None where nothing in its files says that it does."""
    template = template_text(tokenizer)
    known = _reasoning.get(tokenizer)
    if known is None or known[0] != template:
        known = _reasoning[tokenizer] = (template, _found(tokenizer, template) if template else None)
    return known[1]


_reasoning: WeakKeyDictionary[PreTrainedTokenizerBase, tuple[str, Reasoning | None]] = WeakKeyDictionary()


def resolved_thinking(
    tokenizer: PreTrainedTokenizerBase, thinking: bool | None, by_default: bool | None
) -> tuple[bool, dict[str, bool]]:
    """Whether a model may think, and what its template is to be told of that.

    `thinking` is what was asked for; where that is None, `by_default`, or else what the template does by itself. Raises
    InputError for a thought asked of a model that knows none, or that cannot be turned off.
    """
    reasoning = reasoning_of(tokenizer)
    if reasoning is None:
        if thinking:
            raise InputError("This model's chat template and tokenizer know no thoughts. Leave thinking out.")
        return False, {}
    if reasoning.switch is None:
        if thinking is False:
            raise InputError(
                "This model's chat template has no switch for its thoughts. Give them a limit of 0 tokens: each is "
                "closed as soon as it begins."
            )
        return True, {}
    wanted = next((each for each in (thinking, by_default) if each is not None), reasoning.switch.is_on)
    return wanted, reasoning.switch.argument(wanted)


def _found(tokenizer: PreTrainedTokenizerBase, template: str) -> Reasoning | None:
    switches = list(_switches(tokenizer, template))
    marks = (
        _marks_by_field(tokenizer)
        or next((found for switch in switches if (found := _marks_of_empty(tokenizer, switch))), None)
        or _marks_by_pair(tokenizer, template)
    )
    if marks is None:
        return None
    return Reasoning(marks, next((_turned(tokenizer, switch, marks) for switch in switches), None))


def _marks_by_field(tokenizer: PreTrainedTokenizerBase) -> ThoughtMarks | None:
    """Where a thought in a field of its own is written in front of the answer: what stands around it."""
    asked = _generation_prompt(tokenizer, TemplateUse())
    written = render_or_nothing(tokenizer, [QUESTION, ANSWER_WITH_THOUGHT]).partition(ASKED)[2]
    before, thought, behind = written.partition(THOUGHT)
    closing, said, _ = behind.partition(SAID)
    if not (thought and said and closing.strip()):
        return None
    opening = _new(before, asked)
    if not opening.strip():  # the template opens the thought itself, at least where it also closes it at once
        opening = f"{_mirrored(closing.strip())}\n"
    before_answer = render_or_nothing(tokenizer, [QUESTION, ANSWER]).partition(ASKED)[2].partition(SAID)[0]
    header = _new(before_answer, asked)
    is_own = bool(header.strip()) and not header.strip().startswith(opening.strip())
    return ThoughtMarks(opening, closing, in_field=True, header=header if is_own else "")


def _generation_prompt(tokenizer: PreTrainedTokenizerBase, use: TemplateUse) -> str:
    """What the template writes behind a question for the answer to begin."""
    return render_or_nothing(tokenizer, [QUESTION], use, generation_prompt=True).partition(ASKED)[2]


_NAME = re.compile(r"(?<![\w.'\"])\w*(?:think|reason|thought)\w*", re.IGNORECASE)


def _switches(tokenizer: PreTrainedTokenizerBase, template: str) -> Iterator[str]:
    """The arguments of a template that change what it writes when they are true or false, and mean no more."""
    for name in dict.fromkeys(match.group() for match in _NAME.finditer(template)):
        written = {value: _whole(tokenizer, TemplateUse({name: value})) for value in (True, False)}
        is_text = any(str(value) in _new(written[value], written[not value]) for value in written)
        if all(written.values()) and written[True] != written[False] and not is_text:
            yield name


def _whole(tokenizer: PreTrainedTokenizerBase, use: TemplateUse) -> str:
    return render_or_nothing(tokenizer, [QUESTION], use, generation_prompt=True)


def _new(text: str, other: str) -> str:
    """What a text has behind the beginning that it shares with another."""
    at = next((at for at, (one, two) in enumerate(zip(text, other, strict=False)) if one != two), len(other))
    return text[at:]


_EMPTY = re.compile(r"(\S+[^\S\n]*\n?)(\s*?)(\n?\S+\s*)$")


def _marks_of_empty(tokenizer: PreTrainedTokenizerBase, switch: str) -> ThoughtMarks | None:
    """The marks of the empty thought with which a template turns thoughts off."""
    for value in (False, True):
        prompt = _generation_prompt(tokenizer, TemplateUse({switch: value}))
        added = _new(prompt, _generation_prompt(tokenizer, TemplateUse({switch: not value})))
        empty = _EMPTY.search(added) if len(added.split()) == 2 else None
        if empty:
            return ThoughtMarks(empty[1], empty[3])
    return None


_TAG = re.compile(r"[<\[◁]\|?/?[^\s<>\[\]◁▷(){}'\"]{2,40}[>\]▷]")
_TALKS_OF_THOUGHT = re.compile(r"think|thought|reason", re.IGNORECASE)


def _marks_by_pair(tokenizer: PreTrainedTokenizerBase, template: str) -> ThoughtMarks | None:
    """A pair of marks with a name like “think”, among the added tokens or in the template's text.

    First one in front of which the template drops what an earlier answer began with, or which it opens itself.
    """
    added = (str(token) for token in tokenizer.added_tokens_decoder.values())
    tags = dict.fromkeys(chain(_TAG.findall(template), added))
    pairs = [(_mirrored(tag), tag) for tag in tags if _TALKS_OF_THOUGHT.search(tag) and _mirrored(tag) != tag]
    named = [pair for pair in pairs if pair[0] in tags or pair[0] in template or _drops(tokenizer, *pair)]
    used = (pair for pair in named if _drops(tokenizer, *pair) or _opens(tokenizer, pair[0]))
    found = next(chain(used, named), None)
    return ThoughtMarks(f"{found[0]}\n", f"\n{found[1]}\n\n") if found else None


_MIRRORED = (("/", ""), ("end", "begin"), ("end", "start"), ("END", "BEGIN"), ("END", "START"))


def _mirrored(closing: str) -> str:
    """The mark that opens what this one closes; the same mark where it closes nothing."""
    for end, begin in _MIRRORED:
        if end in closing:
            return closing.replace(end, begin, 1)
    return closing


def _drops(tokenizer: PreTrainedTokenizerBase, opening: str, closing: str) -> bool:
    """Whether the template leaves out the thought of an earlier answer."""
    answer = {"role": "assistant", "content": f"{opening}{THOUGHT}{closing}{SAID}"}
    written = render_or_nothing(tokenizer, [QUESTION, answer, QUESTION], generation_prompt=True)
    return SAID in written and THOUGHT not in written


def _opens(tokenizer: PreTrainedTokenizerBase, opening: str) -> bool:
    return _generation_prompt(tokenizer, TemplateUse()).rstrip().endswith(opening)


_OFF_BY_NAME = re.compile(r"^(?:no|disable|without|skip|hide|exclude)", re.IGNORECASE)


def _turned(tokenizer: PreTrainedTokenizerBase, name: str, marks: ThoughtMarks) -> ThinkingSwitch:
    """Which way a switch goes: off is where the thought is closed before it begins, or what its name says."""
    closed = [
        value
        for value in (True, False)
        if _generation_prompt(tokenizer, TemplateUse({name: value})).rstrip().endswith(marks.closing.strip())
    ]
    on = not closed[0] if len(closed) == 1 else not _OFF_BY_NAME.search(name)
    unasked = _whole(tokenizer, TemplateUse())
    return ThinkingSwitch(name, on, unasked == _whole(tokenizer, TemplateUse({name: on})))
