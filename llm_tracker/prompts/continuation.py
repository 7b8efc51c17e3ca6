"""The text that tokens add to a prompt, token after token: what a tokenizer alone decodes is not always that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

N_CONTEXT = 8
"""Tokens in front of others that are decoded with them: some tokenizers drop the space in front of a first one."""

N_DECODED = 32
"""At most so many tokens are decoded together (more only within a character): the time a token takes does not grow with
the text."""


class Continuation:
    """The text that tokens add to a prompt, and each token's characters in it.

    Tokens that only together make a character share its span.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, prompt_ids: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._text, self._spans, self._n_waiting = "", list[Span](), 0
        self._decode_behind(prompt_ids)

    def add(self, token_id: int) -> None:
        """One more token."""
        self._ids.append(token_id)
        self._n_waiting += 1
        so_far = self._known + self._decoded([*self._context, *self._ids])[self._n_known :]
        if not so_far.endswith("\ufffd"):
            self._spans += [(len(self._text), len(so_far))] * self._n_waiting
            self._text, self._n_waiting = so_far, 0
            if len(self._ids) >= N_DECODED:
                self._decode_behind([*self._context, *self._ids])

    def read(self) -> tuple[str, list[Span]]:
        """The text so far, and the span of every token.

        Half a character at its end is decoded by itself, or it would eat the bytes in front of it.
        """
        if not self._n_waiting:
            return self._text, list(self._spans)
        text = self._text + self._decoded(self._ids[-self._n_waiting :])
        return text, [*self._spans, *[(len(self._text), len(text))] * self._n_waiting]

    def _decode_behind(self, token_ids: Sequence[int]) -> None:
        """Decode what comes now behind the last few of these tokens, whose own characters are known."""
        self._known = self._text
        self._context, self._ids = list(token_ids[-N_CONTEXT:]), list[int]()
        self._n_known = len(self._decoded(self._context))

    def _decoded(self, token_ids: Sequence[int]) -> str:
        decoded = self._tokenizer.decode(list(token_ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return str(decoded)


def continuation(
    tokenizer: PreTrainedTokenizerBase, prompt_ids: Sequence[int], token_ids: Sequence[int]
) -> tuple[str, list[Span]]:
    """The text that several tokens add to a prompt, and each token's characters in it."""
    whole = Continuation(tokenizer, prompt_ids)
    for token_id in token_ids:
        whole.add(token_id)
    return whole.read()


def text_in_front(
    tokenizer: PreTrainedTokenizerBase, before: str, token_ids: Sequence[int], special: Collection[int]
) -> str:
    """What stands in front of the token that follows these, which follow a text: behind the last control token."""
    last = max((at for at, token_id in enumerate(token_ids) if token_id in special), default=-1)
    spoken = token_ids[last + 1 :]
    near = continuation(tokenizer, spoken[:-N_CONTEXT], spoken[-N_CONTEXT:])[0]  # words are cut by what is near
    return near if last >= 0 or len(spoken) > N_CONTEXT else before + near
