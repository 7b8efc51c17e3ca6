"""Conversation -> Prompt, through a tokenizer: the chat template, a plain form without one, raw text, or token ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.chat_template import TemplateUse
from llm_tracker.prompts.continuation import continuation
from llm_tracker.prompts.finding_thoughts import reasoning_of
from llm_tracker.prompts.prompt import BeginningToken, Prompt
from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.segments import Segment, chat_text, question_answer_segments, raw_segments
from llm_tracker.prompts.tokens import encode, segment_at, segment_starts, special_tokens, token_bytes
from llm_tracker.prompts.trained_form import beginning_ids
from llm_tracker.prompts.typed_text import require_plain
from llm_tracker.prompts.words import Role, Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def render_prompt(
    tokenizer: PreTrainedTokenizerBase,
    recipe: str,
    messages: Sequence[Message],
    n_recipe: int,
    use: TemplateUse | None = None,
) -> Prompt:
    """Render a conversation for a model: its chat template, the plain Q/A form where it has none, or raw text.

    `recipe` is its name, of which only "raw" matters here; the first `n_recipe` messages are its own. Where the
    template writes no beginning token and the tokenizer puts one in front of plain text, it stands in front here too,
    unless `use` asks for the template to the letter. Raises InputError for text that no model can be given,
    ModelError where the template refuses or rewrites the conversation.
    """
    # What a model said itself, between these, may hold anything.
    require_plain(said.content for said in [*messages[:n_recipe], messages[-1]])
    is_chat, use, notices = recipe != "raw" and bool(tokenizer.chat_template), use or TemplateUse(), list[str]()
    reasoning = reasoning_of(tokenizer) if is_chat else None
    marks = reasoning.marks if reasoning else None
    if is_chat:
        chat = chat_text(tokenizer, messages, n_recipe, use, marks)
        messages, segments = chat.messages, chat.segments
        notices += chat.notices
    elif recipe == "raw":
        segments = raw_segments(messages)
    else:
        segments = question_answer_segments(messages, n_recipe)
    special = special_tokens(tokenizer)
    token_ids, spans = encode(tokenizer, segments, begin=not is_chat)
    beginning = _beginning(tokenizer, token_ids, is_chat, use.follow)
    if is_chat and beginning == "tokenizer":
        own = beginning_ids(tokenizer)
        token_ids, spans = [*own, *token_ids], [(0, 0)] * len(own) + spans
    if not token_ids:
        raise InputError(say("This text has no tokens for the model to read. Type something first."))
    return Prompt(
        messages=tuple(messages),
        text="".join(segment.text for segment in segments),
        token_ids=tuple(token_ids),
        spans=tuple(spans),
        roles=tuple(_token_roles(segments, token_ids, spans, special)),
        token_bytes=tuple(token_bytes(tokenizer, token_ids)),
        control_positions=_positions(token_ids, special),
        stops_at_newline=recipe != "raw" and not tokenizer.chat_template,
        beginning_token=beginning,
        template_arguments=use.arguments if is_chat else {},
        keeps_room_for_thought=is_chat and use.thinks,
        thought_marks=marks,
        notices=(*notices, *_notices(segments, special.values(), messages[-1].content)),
    )


def _beginning(
    tokenizer: PreTrainedTokenizerBase, token_ids: Sequence[int], is_chat: bool, follow_template: bool
) -> BeginningToken:
    """Where the beginning token of a text comes from, or has to come from."""
    own = beginning_ids(tokenizer)
    written = own or [tokenizer.bos_token_id]
    if is_chat and list(token_ids[: len(written)]) == written:
        return "template"
    return "tokenizer" if own and not (is_chat and follow_template) else "none"


def prompt_of_ids(tokenizer: PreTrainedTokenizerBase, token_ids: Sequence[int]) -> Prompt:
    """A raw prompt given as token ids; control tokens among them are the template's.

    Raises InputError where there are none, or one is outside the vocabulary.
    """
    if not token_ids:
        raise InputError(say("There are no token ids to read. Give at least one."))
    wrong = [token_id for token_id in token_ids if not 0 <= token_id < len(tokenizer)]
    if wrong:
        raise InputError(
            say(
                "{token} is no token id of this model: they go from 0 to {last}.",
                token=wrong[0],
                last=len(tokenizer) - 1,
            )
        )
    text, spans = continuation(tokenizer, (), token_ids)
    special = special_tokens(tokenizer)
    roles: list[Role] = ["template" if token_id in special else "user" for token_id in token_ids]
    return Prompt(
        messages=(Message("user", text),),
        text=text,
        token_ids=tuple(token_ids),
        spans=tuple(spans),
        roles=tuple(roles),
        token_bytes=tuple(token_bytes(tokenizer, token_ids)),
        control_positions=_positions(token_ids, special),
    )


def _positions(token_ids: Sequence[int], special: Collection[int]) -> frozenset[int]:
    return frozenset(at for at, token_id in enumerate(token_ids) if token_id in special)


def _token_roles(
    segments: Sequence[Segment], token_ids: Sequence[int], spans: Sequence[Span], special: Collection[int]
) -> list[Role]:
    """Whose each token is: its first typed character's, else its first visible one's, else its first one's."""
    text, starts = "".join(segment.text for segment in segments), segment_starts(segments)
    roles: list[Role] = []
    for token_id, (begin, end) in zip(token_ids, spans, strict=True):
        if begin == end and token_id in special:  # what the tokenizer put in front
            roles.append("template")
            continue
        visible = [at for at in range(begin, end) if not text[at].isspace()]
        typed = [at for at in visible if segment_at(segments, starts, at).role != "template"]
        roles.append(segment_at(segments, starts, (typed or visible or [min(begin, len(text) - 1)])[0]).role)
    return roles


_TEMPLATE_MARK = re.compile(r"<\S+?>|\[/?[A-Z_]+\]|#{2,} ?\w+:|\b[QA]:")


def _notices(segments: Sequence[Segment], special: Iterable[str], question: str) -> list[str]:
    """A warning where typed text contains what the template itself writes as plain text."""
    own = " ".join(segment.text for segment in segments if segment.role == "template")
    for control in special:
        own = own.replace(control, " ")
    return [
        say(
            "Your text contains “{mark}”, which this model's template also writes as plain text: the model cannot tell "
            "the two apart.",
            mark=mark,
        )
        for mark in sorted(set(_TEMPLATE_MARK.findall(own)))
        if mark in question
    ]
