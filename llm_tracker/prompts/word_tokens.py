"""A word as tokens, cut where it would be written: behind a text, never by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

from llm_tracker.prompts.segments import Segment
from llm_tracker.prompts.tokens import encode
from llm_tracker.prompts.words import Role

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_OPEN = regex.compile(r"(?:^|\s)[\"'«“‘(\[{]+$|[(\[{«“‘]$")


def wants_space(before: str, word: str) -> bool:
    """Whether a word is written with a space in front: not at a start, behind white space, or in Chinese or Thai."""
    last = before[-1:]
    if not last or last.isspace() or _SPACELESS.match(last) or _SPACELESS.match(word):
        return False
    return not _OPEN.search(before)


def both_ways(before: str, word: str) -> tuple[str, str]:
    """A word with a space in front and without one, first the way in which it is written behind a text."""
    return (f" {word}", word) if wants_space(before, word) else (word, f" {word}")


def word_tokens(tokenizer: PreTrainedTokenizerBase, before: str, word: str, role: Role = "user") -> list[int]:
    """The tokens that a text adds behind another; none where it has none.

    The template's text may be control tokens, any other stays text whatever it spells. If the two merge into one
    token, they are those at the start of a line.
    """
    for context in (before, "\n"):
        alone, joint = _encoded(tokenizer, context, role), _encoded(tokenizer, context + word, role)
        if joint[: len(alone)] == alone and len(joint) > len(alone):
            return joint[len(alone) :]
    return []


def spellings(before: str, word: str) -> list[str]:
    """A word as it is given, in small letters, in capitals and with a capital in front, each in both ways."""
    cases = dict.fromkeys((word, word.lower(), word.upper(), word[:1].upper() + word[1:]))
    return [written for case in cases for written in both_ways(before, case)]


def _encoded(tokenizer: PreTrainedTokenizerBase, text: str, role: Role) -> list[int]:
    return encode(tokenizer, [Segment(text, role)], begin=False)[0] if text else []
