"""The form in which a chat model was trained: what stands in front of its text, and what ends its answer.

Neither is always in the files that are meant to say it. Some templates (Zephyr's, TinyLlama-Chat's) leave the beginning
token to the tokenizer, and some checkpoints do not name their template's end of a turn among their end tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from llm_tracker.prompts.chat_template import (
    ANSWER,
    ANSWER_WITH_THOUGHT,
    ASKED,
    QUESTION,
    SAID,
    render_or_nothing,
    template_text,
)
from llm_tracker.prompts.tokens import special_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def beginning_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """What the tokenizer puts in front of plain text; empty where it puts nothing."""
    plain = list(tokenizer("a", add_special_tokens=False)["input_ids"])
    whole = list(tokenizer("a", add_special_tokens=True)["input_ids"])
    starts = (at for at in range(len(whole)) if whole[at : at + len(plain)] == plain)
    return whole[: next(starts, 0)]


def turn_end_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The control tokens that the chat template writes right behind what a model said.

    Without those that it also writes inside an answer: where an answer has channels (gpt-oss), the end of one is not
    the end of the answer. Empty without a template.
    """
    template = template_text(tokenizer)
    known = _turn_ends.get(tokenizer)
    if known is None or known[0] != template:
        known = (template, _found_turn_ends(tokenizer) if template else frozenset())
        _turn_ends[tokenizer] = known
    return known[1]


_turn_ends: WeakKeyDictionary[PreTrainedTokenizerBase, tuple[str, frozenset[int]]] = WeakKeyDictionary()


def _found_turn_ends(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    special = special_tokens(tokenizer)
    conversations = ([QUESTION, ANSWER], [QUESTION, ANSWER, QUESTION])
    behind = [render_or_nothing(tokenizer, several).partition(SAID)[2].lstrip() for several in conversations]
    asked = render_or_nothing(tokenizer, [QUESTION], generation_prompt=True).partition(ASKED)[2]
    inside = render_or_nothing(tokenizer, [QUESTION, ANSWER_WITH_THOUGHT]).partition(ASKED)[2].partition(SAID)[0]
    return frozenset(
        token_id
        for token_id, text in special.items()
        if any(text and rest.startswith(text) for rest in behind) and inside.count(text) <= asked.count(text)
    )
