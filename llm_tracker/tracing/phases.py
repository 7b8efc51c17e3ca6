"""The phases of an answer while it is written: a thought, where the model reasons first, and the answer behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.thoughts import ClosedBy, Thought, ThoughtMarks
from llm_tracker.prompts.word_tokens import word_tokens
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Phase = Literal["undecided", "thought", "answer"]

_NOBODY: ClosedBy = ""


def closing_ids(tokenizer: PreTrainedTokenizerBase, marks: ThoughtMarks) -> list[int]:
    """The tokens that close a thought, as they are written behind a word."""
    return word_tokens(tokenizer, "a", marks.closing, "template")


class Phases:
    """Follows an answer token by token; closes a thought at its limit, or when `skip` says so."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, prompt: Prompt, limit: int, skip: Callable[[], bool] = lambda: False
    ) -> None:
        self._marks, self._limit, self._skip = prompt.thought_marks, limit, skip
        self._closing = closing_ids(tokenizer, self._marks) if self._marks else []
        self._ids: list[int] = []
        self._n_forced, self._closed_by = 0, _NOBODY
        self._end, self._n_thought = 0, 0
        self.phase: Phase = "answer"
        if self._marks is not None:
            self.phase = "thought" if self._marks.opened_by(prompt.text) else "undecided"

    @property
    def reserved(self) -> int:
        """The most tokens that a thought may take, its end included."""
        return self._limit + len(self._closing) if self._marks else 0

    @property
    def n_answer(self) -> int:
        """Tokens written of the answer itself."""
        return len(self._ids) - self._n_thought

    def forced(self) -> int | None:
        """The token that is written next whatever the model says: one that closes the thought."""
        if self.phase != "thought":
            return None
        if not self._closed_by and (len(self._ids) >= self._limit or self._skip()):
            self._closed_by = "reader" if self._skip() else "limit"
            self._n_forced = _overlap(self._ids, self._closing)
        return self._closing[self._n_forced] if self._closed_by else None

    def wrote(self, token_id: int, text: str) -> None:
        """Note a token, and the answer's text with it."""
        self._ids.append(token_id)
        if self._marks is None or self.phase == "answer":
            return
        if self.phase == "undecided":
            begins = self._marks.begins(text)
            self.phase = "undecided" if begins is None else "thought" if begins else "answer"
        if self.phase == "thought":
            self._n_forced += bool(self._closed_by)
            # A close that the tokenizer writes in another way than it reads it ends with its last token all the same.
            is_closed = bool(self._closed_by) and self._n_forced == len(self._closing)
            end = len(text) if is_closed else self._marks.end_in(text)
            if end is not None and (is_closed or not self._closed_by):
                self._end, self._n_thought, self.phase = end, len(self._ids), "answer"

    def split(self, text: str) -> tuple[str, str]:
        """The text so far as thought, without its marks, and answer."""
        if self._marks is None or (self.phase != "thought" and not self._n_thought):
            return "", text
        end = self._end if self.phase == "answer" else len(text)
        return self._marks.inside(text[:end]), text[end:]

    def thought(self, text: str, spans: Sequence[Span], has_end_token: bool) -> Thought | None:
        """The thought of an answer that has ended, with an end token or not; None where it began without one."""
        if self.phase == "thought":
            said = text[: spans[-1][0]] if has_end_token else text
            return Thought(len(spans), self.split(said)[0], "")
        if not self._n_thought:
            return None
        n_steps = next((at for at in range(self._n_thought, len(spans)) if _is_visible(text, spans[at])), len(spans))
        return Thought(n_steps, self.split(text)[0], self._closed_by or "model")


def _overlap(ids: Sequence[int], closing: Sequence[int]) -> int:
    """How many of the tokens that close a thought have been written already."""
    return next((n for n in range(len(closing) - 1, 0, -1) if list(ids[-n:]) == list(closing[:n])), 0)


def _is_visible(text: str, span: Span) -> bool:
    return bool(text[span[0] : span[1]].strip())
