"""A tokenizer's chat template: rendered with what else it takes besides the messages, and on the day that is wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Given = Mapping[str, str]
"""A message as a template is given it: role and content, and a thought where there is one."""

THOUGHT_FIELDS = ("reasoning_content", "thinking", "reasoning")
"""The names under which templates read a message's thought, as transformers knows them."""

ASKED, SAID, THOUGHT = "\ue000asked\ue001", "\ue000said\ue001", "\ue000thought\ue001"
"""Marks in place of what is said, to see where a template puts it: private characters, which no template writes."""

QUESTION: Given = {"role": "user", "content": ASKED}
ANSWER: Given = {"role": "assistant", "content": SAID}
ANSWER_WITH_THOUGHT: Given = {**ANSWER, **dict.fromkeys(THOUGHT_FIELDS, THOUGHT)}

_DATE_CALL = re.compile(r"strftime_now\(\s*(?:'([^'{}]*)'|\"([^\"{}]*)\")\s*\)")
"""How templates ask for today's date: transformers gives them a function, and nothing in its place."""


@dataclass(frozen=True)
class TemplateUse:
    """What a template is given besides the messages."""

    arguments: Mapping[str, bool] = field(default_factory=dict)
    """Such as {"enable_thinking": False}."""
    date: str = ""
    """ISO 8601: the day (and time) that it writes as today's; today where it is empty."""
    follow: bool = False
    """Whether it is followed to the letter, also where it leaves out the beginning token."""
    thinks: bool = False
    """Whether the model may reason before it answers: room is kept for a thought."""

    def __post_init__(self) -> None:
        """Make the mapping read-only."""
        object.__setattr__(self, "arguments", MappingProxyType(dict(self.arguments)))


def template_text(tokenizer: PreTrainedTokenizerBase) -> str:
    """The template itself; of several the one that is used without tools; "" where there is none."""
    several = tokenizer.chat_template
    return str(several.get("default", "") if isinstance(several, Mapping) else several or "")


def render(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Given], use: TemplateUse, generation_prompt: bool = True
) -> str:
    """A conversation as the template writes it. Raises jinja2.TemplateError where the template refuses it."""
    more: dict[str, Any] = dict(use.arguments)
    if use.date:
        more["chat_template"] = on_day(template_text(tokenizer), use.date)
    given = [dict(message) for message in messages]
    return str(tokenizer.apply_chat_template(given, tokenize=False, add_generation_prompt=generation_prompt, **more))


def render_or_nothing(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Given],
    use: TemplateUse | None = None,
    generation_prompt: bool = False,
) -> str:
    """The same; "" where the template refuses the conversation."""
    try:
        return render(tokenizer, messages, use or TemplateUse(), generation_prompt)
    except (jinja2.TemplateError, TypeError):
        return ""


def on_day(template: str, date: str) -> str:
    """The template with the day written out in place of each call that asks for today's."""
    day = datetime.fromisoformat(date)

    def written(call: re.Match[str]) -> str:
        text = day.strftime(call[1] or call[2] or "").replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"

    return _DATE_CALL.sub(written, template)


def writes_date(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether what the template writes depends on the day."""
    if "strftime_now" not in template_text(tokenizer):
        return False
    days = (TemplateUse(date="2001-02-03T04:05:06"), TemplateUse(date="2012-11-10T09:08:07"))
    return len({render_or_nothing(tokenizer, [QUESTION], day) for day in days}) > 1
