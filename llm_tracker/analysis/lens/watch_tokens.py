"""Which token stands for a watch word in a lens: its first one, cut in the place where it would be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.continuation import text_in_front
from llm_tracker.prompts.tokens import special_tokens
from llm_tracker.prompts.word_tokens import both_ways, word_tokens
from llm_tracker.tracing.trace import Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def watch_token_id(model: LoadedModel, trace: Trace, word: str, step: int = 0) -> int:
    """The first token of a word at a step. Raises InputError for a word without tokens."""
    return watch_token_ids(model, trace, word, step)[0]


def watch_token_ids(model: LoadedModel, trace: Trace, word: str, step: int = 0) -> list[int]:
    """All tokens of a word at a step: encoded behind what stands in front of it, never by itself.

    Behind a word or a closing mark a space comes first. Where the step's own token is one of the two ways to begin
    the word, with a space or without, it is that one. Raises InputError for a word without tokens.
    """
    special = special_tokens(model.tokenizer)
    before = text_in_front(model.tokenizer, trace.before, trace.token_ids[:step].tolist(), special)
    ways = [ids for text in both_ways(before, word) if (ids := word_tokens(model.tokenizer, before, text))]
    if not word.strip() or not ways:
        raise InputError(
            say("“{word}” cannot be watched: this model has no token for it. Choose another word.", word=word)
        )
    own = int(trace.token_ids[step])
    return next((ids for ids in ways if ids[0] == own), ways[0])
