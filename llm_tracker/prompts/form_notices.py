"""What a reader has to know of how a model's text begins and ends, one sentence each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce
from typing import TYPE_CHECKING

from llm_tracker.errors import TrackerError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.chat_template import writes_date
from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.rendering import render_prompt
from llm_tracker.prompts.tokens import special_tokens
from llm_tracker.prompts.trained_form import beginning_ids, turn_end_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def form_notices(tokenizer: PreTrainedTokenizerBase, named_ends: Collection[int]) -> Iterator[str]:
    """A beginning token that the template leaves out, the day that it writes, and ends that no file names."""
    if tokenizer.chat_template and _begins_by_tokenizer(tokenizer):
        beginning = str(tokenizer.decode(beginning_ids(tokenizer)))
        yield say(
            "Its chat template writes no beginning token: “{beginning}” is put in front, as the tokenizer does for "
            "plain text.",
            beginning=beginning,
        )
    if writes_date(tokenizer):
        yield say(
            "Its chat template writes the day: it is kept with a conversation, so that it can be asked again alike."
        )
    unnamed = turn_end_ids(tokenizer) - set(named_ends)
    texts = [f"“{text}”" for token_id, text in special_tokens(tokenizer).items() if token_id in unnamed]
    if texts:
        yield say(
            "{tokens} ends an answer too: its chat template writes that behind each answer, and the checkpoint does "
            "not name it among its end tokens.",
            tokens=reduce(lambda one, other: say("{one} and {other}", one=one, other=other), texts),
        )


def _begins_by_tokenizer(tokenizer: PreTrainedTokenizerBase) -> bool:
    try:
        return render_prompt(tokenizer, "chat", [Message("user", "a")], 0).beginning_token == "tokenizer"
    except TrackerError:  # a template that refuses says so where something is asked
        return False
