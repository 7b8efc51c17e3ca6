"""Prompt: what the model reads before it answers, token by token, and whose words they are. A value; knows no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.thoughts import ThoughtMarks
from llm_tracker.prompts.words import Role, Span, Word, token_words

BeginningToken = Literal["template", "tokenizer", "none"]
"""Written by the chat template; or put in front by the tokenizer, as of plain text; or there is none."""


@dataclass(frozen=True)
class Prompt:
    """All that the model read before its answer."""

    messages: tuple[Message, ...]
    """The conversation, the recipe's own turns included, as the template was given it."""
    text: str
    token_ids: tuple[int, ...]
    spans: tuple[Span, ...]
    """Of each token its characters in `text`."""
    roles: tuple[Role, ...]
    """Of each token whose words it is part of."""
    token_bytes: tuple[bytes, ...] = ()
    """Of each token the bytes that it stands for (UTF-8), also where they are half a character."""
    control_positions: frozenset[int] = frozenset()
    """The positions of control tokens, which no typed text can write."""
    stops_at_newline: bool = False
    """Whether the answer ends with its line (the plain form for a model without a chat template)."""
    beginning_token: BeginningToken = "none"
    """Where the token at its beginning comes from, if it has one."""
    template_arguments: Mapping[str, bool] = field(default_factory=dict)
    """What the chat template was given besides the messages, such as {"enable_thinking": False}."""
    keeps_room_for_thought: bool = False
    """Whether the model may reason before it answers: then its thought has a limit of its own."""
    thought_marks: ThoughtMarks | None = None
    """What stands around a thought in front of the answer; None where the model is not known to reason first."""
    notices: tuple[str, ...] = ()
    """What the reader should know about this text, one sentence each."""

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words of the prompt, covering every token once, in order."""
        return tuple(token_words(self.text, self.spans, self.roles))

    @cached_property
    def n_fixed(self) -> int:
        """How many tokens stand in front of the first that is the user's: the same for every question."""
        typed = (at for at, role in enumerate(self.roles) if role not in ("template", "recipe"))
        return next(typed, len(self.roles))
