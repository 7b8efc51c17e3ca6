"""Which token stands for a watch word: its first one, cut in the place where it would be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

from llm_tracker.errors import InputError
from llm_tracker.prompts.continuation import continuation
from llm_tracker.prompts.segments import Segment
from llm_tracker.prompts.tokens import encode
from llm_tracker.tracing.trace import Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def watch_token_id(model: LoadedModel, trace: Trace, word: str, step: int = 0) -> int:
    """The first token of a word at a step: encoded behind what stands in front of it, never by itself.

    Behind a word or a closing mark a space comes first. Where the step's own token is one of the two ways to begin
    the word, with a space or without, it is that one. Raises InputError for a word without tokens.
    """
    before = trace.before + _written(model, trace, step)
    written = (f" {word}", word) if _wants_space(before, word) else (word, f" {word}")
    ways = [token_id for token_id in (_first_token(model, before, text) for text in written) if token_id is not None]
    if not word.strip() or not ways:
        raise InputError(f"“{word}” cannot be watched: this model has no token for it. Choose another word.")
    own = int(trace.token_ids[step])
    return own if own in ways else ways[0]


def _written(model: LoadedModel, trace: Trace, step: int) -> str:
    """The answer's text in front of a step."""
    return continuation(model.tokenizer, (), trace.token_ids[:step].tolist())[0] if step else ""


_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_OPEN = regex.compile(r"(?:^|\s)[\"'«“‘(\[{]+$|[(\[{«“‘]$")


def _wants_space(before: str, word: str) -> bool:
    """Whether a word is written with a space in front: not at a start, behind white space, or in Chinese or Thai."""
    last = before[-1:]
    if not last or last.isspace() or _SPACELESS.match(last) or _SPACELESS.match(word):
        return False
    return not _OPEN.search(before)


def _first_token(model: LoadedModel, before: str, word: str) -> int | None:
    """The first token that a text adds behind another; if the two merge into one, its first at the start of a line."""
    for context in (before, "\n"):
        alone, joint = _encoded(model, context), _encoded(model, context + word)
        if joint[: len(alone)] == alone and len(joint) > len(alone):
            return joint[len(alone)]
    return None


def _encoded(model: LoadedModel, text: str) -> list[int]:
    """Token ids of text that stays text, whatever it spells."""
    return encode(model.tokenizer, [Segment(text, "user")], begin=False)[0] if text else []
