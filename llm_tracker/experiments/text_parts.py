"""The parts of a text that an effect is told of: words one by one, and whole segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.words import Role, Word

SINGLE_ROLES = ("user", "assistant", "system")
"""Whose words are told one by one: the recipe's worked turns and the template's marks are so as a whole."""


@dataclass(frozen=True)
class TextPart:
    """A word, or a segment: all that one message says, or the recipe's worked turns."""

    word: Word
    is_segment: bool


def hidden_parts(prompt: Prompt) -> list[TextPart]:
    """What is hidden in turn: each word of what was said, and each segment that has more than one."""
    alone = {word.tokens for word in prompt.words}
    words = [TextPart(word, False) for word in prompt.words if word.role in SINGLE_ROLES]
    segments = [TextPart(each, True) for each in _segments(prompt) if each.tokens not in alone]
    return sorted([*segments, *words], key=lambda part: part.word.tokens[0])


def covering_words(prompt: Prompt, n_positions: int) -> list[Word]:
    """Words that cover every position once: the recipe's worked turns as one, then word by word.

    What is read behind the prompt is one more, of the answer.
    """
    n_recipe = _recipe_end(prompt)
    words = [word for word in prompt.words if word.tokens[0] >= n_recipe]
    recipe = [_joined([word for word in prompt.words if word.tokens[1] <= n_recipe], "recipe")] if n_recipe else []
    end = len(prompt.token_ids)
    behind = [Word("", "answer", (end, n_positions))] if n_positions > end else []
    return [*recipe, *words, *behind]


def _recipe_end(prompt: Prompt) -> int:
    return max((word.tokens[1] for word in prompt.words if word.role == "recipe"), default=0)


def _segments(prompt: Prompt) -> Iterator[Word]:
    """The recipe with all its marks, and each message behind it: an unbroken run of words of one role."""
    n_recipe = _recipe_end(prompt)
    if n_recipe:
        yield _joined([word for word in prompt.words if word.tokens[1] <= n_recipe], "recipe")
    run: list[Word] = []
    for word in (word for word in prompt.words if word.tokens[0] >= n_recipe):
        if run and word.role != run[0].role:
            if run[0].role in SINGLE_ROLES:
                yield _joined(run, run[0].role)
            run = []
        run.append(word)
    if run and run[0].role in SINGLE_ROLES:
        yield _joined(run, run[0].role)


def _joined(words: list[Word], role: Role) -> Word:
    return Word("".join(word.text for word in words), role, (words[0].tokens[0], words[-1].tokens[1]))
