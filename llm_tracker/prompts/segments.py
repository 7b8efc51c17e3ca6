"""Conversation -> segments of text: what the template writes, and what was typed, each with its role."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2

from llm_tracker.errors import ModelError
from llm_tracker.prompts.recipes import Message
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


def chat_segments(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], n_recipe: int
) -> tuple[list[Message], list[Segment]]:
    """The conversation as the tokenizer's chat template writes it, and the messages as they were given to it.

    The first `n_recipe` messages are the recipe's. A template that refuses or drops the system line gets it folded
    into the first user message; of an answer whose beginning it drops (Qwen 3 and its thoughts) the rest is kept.
    Raises ModelError where the template refuses the conversation or rewrites what was said.
    """
    parts: list[Parts] = [(Segment(said.content, _role(said, i < n_recipe)),) for i, said in enumerate(messages)]
    said = list(messages)
    if said and said[0].role == "system" and not _takes_system(tokenizer, said):
        said, parts = _folded(said, parts)
    segments, written = _aligned(tokenizer, said, parts)
    return [_as_kept(message, kept) for message, kept in zip(said, written, strict=True)], segments


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


def _render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    given = [{"role": said.role, "content": said.content} for said in messages]
    return str(tokenizer.apply_chat_template(given, tokenize=False, add_generation_prompt=True))


def _takes_system(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> bool:
    """Whether the template writes a system line, rather than refusing or dropping it."""
    marked, marks = _marked(messages)
    try:
        return marks[0] in _render(tokenizer, marked)
    except jinja2.TemplateError:
        return False


def _folded(messages: list[Message], parts: list[Parts]) -> tuple[list[Message], list[Parts]]:
    """The system line in front of the first user message, each part keeping its role."""
    first = next(place for place, said in enumerate(messages) if said.role == "user")
    joint = Message("user", f"{messages[0].content}\n\n{messages[first].content}")
    gap = Segment("\n\n", parts[first][0].role)  # white space goes with the word after it
    joint_parts = (*parts[0], gap, *parts[first])
    return (
        [*messages[1:first], joint, *messages[first + 1 :]],
        [*parts[1:first], joint_parts, *parts[first + 1 :]],
    )


def _marked(messages: Sequence[Message]) -> tuple[list[Message], list[str]]:
    """The messages with an unguessable mark in place of each content, to find where a template puts them."""
    # Private-use characters around a nonce: nobody can have typed a mark, and it has no white space to trim.
    nonce = secrets.token_hex(8)
    marks = [f"\ue000{nonce}x{index}\ue001" for index in range(len(messages))]
    return [Message(said.role, mark) for said, mark in zip(messages, marks, strict=True)], marks


def _as_kept(message: Message, kept: str) -> Message:
    """The message as it was given, or what the template kept of it where that is more than white space less."""
    return message if kept.strip() == message.content.strip() else Message(message.role, kept)


def _aligned(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], parts: list[Parts]
) -> tuple[list[Segment], list[str]]:
    """The rendered template as segments, its own text between what was said, and what it kept of each message."""
    marked, marks = _marked(messages)
    try:
        text, skeleton = _render(tokenizer, messages), _render(tokenizer, marked)
    except jinja2.TemplateError as error:
        raise ModelError(f"This model's chat template refuses the conversation: {error}") from error
    if not all(mark in skeleton for mark in marks):
        raise ModelError("This model's chat template leaves out part of the conversation; use the recipe “raw”.")
    fragments = re.split(f"({'|'.join(marks)})", skeleton)
    segments, written, at = list[Segment](), [""] * len(messages), 0
    for own, mark in zip(fragments[::2], [*fragments[1::2], None], strict=True):
        if not text.startswith(own, at):
            raise ModelError("This model's chat template rewrites what is said; use the recipe “raw”.")
        segments.append(Segment(own, "template"))
        at += len(own)
        if mark is not None:
            following = fragments[fragments.index(mark) + 1]
            kept = _as_written(text, at, parts[marks.index(mark)], following)
            segments += kept
            written[marks.index(mark)] = "".join(segment.text for segment in kept)
            at += len(written[marks.index(mark)])
    return [segment for segment in segments if segment.text], written


def _as_written(text: str, at: int, parts: Parts, following: str) -> list[Segment]:
    """A message's parts as the template wrote them at `at`: whole, without white space at its ends, or its end."""
    content = "".join(segment.text for segment in parts)
    for kept in (content, content.strip(), content.lstrip(), content.rstrip()):
        if text.startswith(kept + following, at):
            return _cut(parts, content.index(kept), len(kept))
    rest = text[at : text.find(following, at)] if following else ""
    if rest and content.endswith(rest):
        return _cut(parts, len(content) - len(rest), len(rest))
    raise ModelError("This model's chat template rewrites what is said; use the recipe “raw”.")


def _cut(parts: Parts, start: int, length: int) -> list[Segment]:
    """The characters start..start+length of the parts."""
    segments, before = [], 0
    for segment in parts:
        first, last = max(start - before, 0), min(start + length - before, len(segment.text))
        segments.append(Segment(segment.text[first : max(first, last)], segment.role))
        before += len(segment.text)
    return segments
