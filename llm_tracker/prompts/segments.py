"""Conversation -> segments of text: what the template writes, and what was typed, each with its role."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.chat_template import THOUGHT_FIELDS, Given, TemplateUse, render, render_or_nothing
from llm_tracker.prompts.recipes import Message, MessageRole
from llm_tracker.prompts.thoughts import ThoughtMarks
from llm_tracker.prompts.words import Role

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Segment:
    """A run of the prompt's text. Only in template segments may text stand for special tokens."""

    text: str
    role: Role


Parts = tuple[Segment, ...]
"""A message's content, cut by role: more than one segment where a system line was folded into a question."""


DROPPED_THOUGHTS = later(
    "The chat template leaves out what the model thought before its earlier answers: it reads these answers alone."
)
DROPPED_ANSWERS = later(
    "The chat template leaves out part of an earlier answer, behind a mark that the answer had in it: “What the model "
    "read” shows what is left."
)


@dataclass(frozen=True)
class ChatText:
    """A conversation as a chat template writes it."""

    messages: list[Message]
    """As they were given to the template, or what it kept of them."""
    segments: list[Segment]
    notices: list[str]
    """What it left out of earlier answers, a sentence each."""


def chat_text(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    n_recipe: int,
    use: TemplateUse,
    marks: ThoughtMarks | None = None,
) -> ChatText:
    """The conversation as the tokenizer's chat template writes it.

    The first `n_recipe` messages are the recipe's. A template that refuses or drops the system line gets it folded
    into the first user message. An earlier answer's thought is handed over as the template takes it: in a field of its
    own, or in front of the answer; of what it drops, the rest is kept. Raises ModelError where the template refuses the
    conversation or rewrites what was said.
    """
    slots = [_slot(tokenizer, said, i < n_recipe, marks) for i, said in enumerate(messages)]
    if slots and slots[0].role == "system" and not _takes_system(tokenizer, slots, use):
        slots = _folded(slots)
    segments, written = _aligned(tokenizer, slots, use)
    kept = [_as_kept(slot, *own) for slot, own in zip(slots, written, strict=True)]
    return ChatText(kept, segments, list(_left_out(slots, kept, marks)))


def _left_out(slots: Sequence[_Slot], kept: Sequence[Message], marks: ThoughtMarks | None) -> Iterator[str]:
    """What the template left out of earlier answers."""
    pairs = list(zip(slots, kept, strict=True))
    thoughtful = [pair for pair in pairs if marks is not None and marks.inside(pair[0].thought)]
    if not all(message.thought if slot.in_field else message.content == slot.text for slot, message in thoughtful):
        yield say(DROPPED_THOUGHTS)
    if any(slot.parts[-1].text.strip() not in message.content for slot, message in pairs):
        yield say(DROPPED_ANSWERS)


def question_answer_segments(messages: Sequence[Message], n_recipe: int) -> list[Segment]:
    """The plain form for a model without a chat template: system line, "Q: … A: …" pairs, and an open "A:"."""
    segments = []
    for index, said in enumerate(messages):
        before = {"system": "", "user": "Q: ", "assistant": "A: "}[said.role]
        segments += [
            Segment(before, "template"),
            Segment(said.content, _role(said, index < n_recipe)),
            Segment("\n", "template"),
        ]
    return [*segments, Segment("A:", "template")]


def raw_segments(messages: Sequence[Message]) -> list[Segment]:
    """The text as typed; a correction follows as earlier text + answer + newline + correction + newline."""
    if len(messages) == 1:
        return [Segment(messages[0].content, "user")]
    segments = []
    for index, said in enumerate(messages):
        ending = "\n" if said.role == "assistant" or index > 0 else ""
        segments += [Segment(said.content, _role(said, of_recipe=False)), Segment(ending, "user")]
    return segments


def _role(message: Message, of_recipe: bool) -> Role:
    return "recipe" if of_recipe else message.role


@dataclass(frozen=True)
class _Slot:
    """A message as a template is given it."""

    role: MessageRole
    parts: Parts
    """Its text: what is said, and in front of it the thought, where the template reads it there."""
    thought: str = ""
    """As it was written, marks included."""
    in_field: str = ""
    """The thought without its marks, where the template reads it from a field of its own."""

    @property
    def text(self) -> str:
        """All of its parts."""
        return _joined(self.parts)

    def given(self, text: str, thought: str) -> Given:
        """The message with these texts in place of its own."""
        return {"role": self.role, "content": text, **(dict.fromkeys(THOUGHT_FIELDS, thought) if thought else {})}


def _slot(tokenizer: PreTrainedTokenizerBase, said: Message, of_recipe: bool, marks: ThoughtMarks | None) -> _Slot:
    own = Segment(said.content, _role(said, of_recipe))
    if not said.thought or marks is None:
        return _Slot(said.role, (own,))
    if marks.in_field:
        return _Slot(said.role, (own,), said.thought, marks.inside(said.thought))
    return _Slot(said.role, (*_thought_parts(tokenizer, said.thought, marks), own), said.thought)


def _thought_parts(tokenizer: PreTrainedTokenizerBase, thought: str, marks: ThoughtMarks) -> Parts:
    """A thought by role: marks that are control tokens are the template's, or they could not be read as such."""
    control = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    around = "|".join(re.escape(mark.strip()) for mark in (marks.opening, marks.closing))
    runs = [run for run in re.split(f"({around})", thought) if run]
    return tuple(Segment(run, "template" if run in control else "thought") for run in runs)


def _takes_system(tokenizer: PreTrainedTokenizerBase, slots: Sequence[_Slot], use: TemplateUse) -> bool:
    """Whether the template writes a system line, rather than refusing or dropping it."""
    marked = [slot.given(mark, "") for slot, mark in zip(slots, _marks(len(slots)), strict=True)]
    return marked[0]["content"] in render_or_nothing(tokenizer, marked, use, generation_prompt=True)


def _folded(slots: list[_Slot]) -> list[_Slot]:
    """The system line in front of the first user message, each part keeping its role."""
    first = next(place for place, slot in enumerate(slots) if slot.role == "user")
    gap = Segment("\n\n", slots[first].parts[0].role)  # white space goes with the word after it
    joint = _Slot("user", (*slots[0].parts, gap, *slots[first].parts))
    return [*slots[1:first], joint, *slots[first + 1 :]]


def _marks(count: int) -> list[str]:
    """Unguessable marks in place of what is said, to find where a template puts it."""
    # Private-use characters around a nonce: nobody can have typed a mark, and it has no white space to trim.
    nonce = secrets.token_hex(8)
    return [f"\ue000{nonce}x{index}\ue001" for index in range(count)]


def _as_kept(slot: _Slot, kept: str, thought: str) -> Message:
    """The message as it was given, or what the template kept of it where that is more than white space less."""
    text = slot.text
    return Message(slot.role, text if kept.strip() == text.strip() else kept, slot.in_field if thought else "")


def _aligned(
    tokenizer: PreTrainedTokenizerBase, slots: list[_Slot], use: TemplateUse
) -> tuple[list[Segment], list[tuple[str, str]]]:
    """The rendered template as segments, its own text between what was said; and of each message what it kept.

    That is its text, and its thought where the template wrote that from a field of its own.
    """
    marks, thought_marks = _marks(len(slots)), _marks(len(slots))
    marked = [
        slot.given(mark, thought_mark if slot.in_field else "")
        for slot, mark, thought_mark in zip(slots, marks, thought_marks, strict=True)
    ]
    try:
        text = render(tokenizer, [slot.given(slot.text, slot.in_field) for slot in slots], use)
        skeleton = render(tokenizer, marked, use)
    except jinja2.TemplateError as error:
        raise ModelError(say("This model's chat template refuses the conversation: {error}", error=error)) from error
    if not all(mark in skeleton for mark in marks):
        raise ModelError(say("This model's chat template leaves out part of the conversation; use the recipe “raw”."))
    parts = {mark: slot.parts for mark, slot in zip(marks, slots, strict=True)}
    parts |= {mark: (Segment(slot.in_field, "thought"),) for mark, slot in zip(thought_marks, slots, strict=True)}
    segments, written = _matched(text, re.split(f"({'|'.join(parts)})", skeleton), parts)
    pairs = zip(marks, thought_marks, strict=True)
    return segments, [(written[mark], written.get(thought_mark, "")) for mark, thought_mark in pairs]


def _matched(text: str, fragments: list[str], parts: Mapping[str, Parts]) -> tuple[list[Segment], dict[str, str]]:
    """The text cut where the skeleton's fragments say, which are the template's own and marks in turn."""
    segments, written, at = list[Segment](), dict[str, str](), 0
    for place in range(0, len(fragments), 2):
        own = fragments[place]
        if not text.startswith(own, at):
            raise ModelError(say("This model's chat template rewrites what is said; use the recipe “raw”."))
        segments.append(Segment(own, "template"))
        at += len(own)
        if place + 1 < len(fragments):
            mark, following = fragments[place + 1 : place + 3]
            kept = _as_written(text, at, parts[mark], following)
            segments += kept
            written[mark] = _joined(kept)
            at += len(written[mark])
    return [segment for segment in segments if segment.text], written


def _joined(parts: Iterable[Segment]) -> str:
    return "".join(segment.text for segment in parts)


def _as_written(text: str, at: int, parts: Parts, following: str) -> list[Segment]:
    """A message's parts as the template wrote them at `at`: whole, without white space at its ends, or its end."""
    content = _joined(parts)
    for kept in (content, content.strip(), content.lstrip(), content.rstrip()):
        if text.startswith(kept + following, at):
            return _cut(parts, content.index(kept), len(kept))
    rest = text[at : text.find(following, at)] if following in text[at:] else ""
    # Behind a mark of its own a template may leave nothing of an answer; what a person says it may not drop.
    is_nothing = bool(following) and text.startswith(following, at) and parts[-1].role == "assistant"
    if content.endswith(rest) and (rest or is_nothing):
        return _cut(parts, len(content) - len(rest), len(rest))
    raise ModelError(say("This model's chat template rewrites what is said; use the recipe “raw”."))


def _cut(parts: Parts, start: int, length: int) -> list[Segment]:
    """The characters start..start+length of the parts."""
    segments, before = [], 0
    for segment in parts:
        first, last = max(start - before, 0), min(start + length - before, len(segment.text))
        segments.append(Segment(segment.text[first : max(first, last)], segment.role))
        before += len(segment.text)
    return segments
