"""The phases of an answer while it is written: a thought, where the model reasons first, and the answer behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.thoughts import MOST_SPACE, ClosedBy, Thought, ThoughtMarks
from llm_tracker.prompts.word_tokens import word_tokens
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Phase = Literal["undecided", "thought", "answer"]

_NOBODY: ClosedBy = ""


def opening_ids(tokenizer: PreTrainedTokenizerBase, marks: ThoughtMarks) -> list[int]:
    """The tokens that open a thought, as they are written behind a line end."""
    return word_tokens(tokenizer, "\n", marks.opening, "template")


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
        self._opening = opening_ids(tokenizer, self._marks) if self._marks else []
        self._keeps_room = prompt.keeps_room_for_thought
        self._ids: list[int] = []
        self._n_forced, self.closed_by = 0, _NOBODY
        self._end, self._n_space, self.n_thought = 0, 0, 0
        self.phase: Phase = "answer"
        if self._marks is not None:
            self.phase = "thought" if self._marks.opened_by(prompt.text) else "undecided"

    @property
    def reserved(self) -> int:
        """The most tokens that a thought may take, its marks included, where room is kept for one."""
        if self._marks is None or not self._keeps_room:
            return 0
        return max(self._limit, len(self._opening) + MOST_SPACE) + len(self._closing) + MOST_SPACE

    def is_full(self, max_new_tokens: int) -> bool:
        """Whether the answer has its most tokens. What may yet become a thought may be longer, where room is kept."""
        n_answer = len(self._ids) - self.n_thought
        waits = self.phase == "undecided" and self._keeps_room
        return self.phase != "thought" and not waits and n_answer >= max_new_tokens

    def forced(self) -> int | None:
        """The token that is written next whatever the model says: one that closes the thought."""
        if self.phase != "thought":
            return None
        if not self.closed_by and (len(self._ids) >= self._limit or self._skip()):
            self.closed_by = "reader" if self._skip() else "limit"
            self._n_forced = _overlap(self._ids, self._closing)
        return self._closing[self._n_forced] if self.closed_by else None

    def wrote(self, token_id: int, text: str) -> None:
        """Note a token, and the answer's text with it."""
        self._ids.append(token_id)
        if self._marks is None:
            return
        if self.phase == "undecided":
            begins = self._marks.begins(text)
            self.phase = "undecided" if begins is None else "thought" if begins else "answer"
        if self.phase == "thought":
            self._read_thought(self._marks, text)
        elif self.n_thought and not text[self._end :].strip():
            self._read_space(text)

    def _read_thought(self, marks: ThoughtMarks, text: str) -> None:
        """Whether the thought ends with what was just written."""
        self.n_thought = len(self._ids)
        self._n_forced += bool(self.closed_by)
        if self.closed_by and self._n_forced < len(self._closing):
            return
        # A mark that is forced ends with its last token, also where it reads otherwise than it is written.
        end = len(text) if self.closed_by else marks.end_in(text)
        if end is not None:
            self._end, self._n_space, self.phase = end, 0, "answer"

    def _read_space(self, text: str) -> None:
        """White space right behind a thought belongs to its mark."""
        self._n_space += 1
        if self._n_space <= MOST_SPACE:
            self.n_thought, self._end = len(self._ids), len(text)

    def split(self, text: str) -> tuple[str, str]:
        """The text so far as thought, without its marks, and answer."""
        if self._marks is None or not self.n_thought:
            return "", text
        end = len(text) if self.phase == "thought" else self._end
        return self._marks.inside(text[:end]), text[end:]

    def thought(self, text: str, spans: Sequence[Span], decoded: str, has_end_token: bool) -> Thought | None:
        """The thought of an answer that has ended, with an end token or not; None where it began without one.

        `decoded` is all of it as the tokenizer decodes it, without special tokens.
        """
        if self.phase == "thought":
            said = text[: spans[-1][0]] if has_end_token else text
            return Thought(len(spans), self.split(said)[0], "", decoded)
        if not self.n_thought:
            return None
        return Thought(self.n_thought, self.split(text)[0], self.closed_by or "model", decoded)


def _overlap(ids: Sequence[int], closing: Sequence[int]) -> int:
    """How many of the tokens that close a thought have been written already."""
    return next((n for n in range(len(closing) - 1, 0, -1) if list(ids[-n:]) == list(closing[:n])), 0)
