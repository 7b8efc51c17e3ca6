"""Cuts text into what a reader would call words, and groups tokens by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import regex

Role = Literal["template", "recipe", "system", "user", "assistant", "thought", "answer"]
Span = tuple[int, int]
"""First and one-past-last character."""

_SCRIPTS = (
    "Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu "
    "Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Khmer Mongolian Hiragana Katakana "
    "Bopomofo Han"
).split()


def _run(letter: str) -> str:
    """Digits and letters of one script, from its first letter on, with marks, inner apostrophes and hyphens."""
    inside = rf"(?:{letter}|\p{{M}}|\p{{N}}|[\u200c\u200d](?=\p{{L}}))"
    return rf"(?:\p{{N}}+['’\-‐‑]?)*{letter}{inside}*(?:['’\-‐‑]{inside}+)*"


_WORD = regex.compile(
    "|".join(
        [
            r"(?=\p{Extended_Pictographic}|\p{RI}|[0-9#*]\uFE0F?\u20E3)\X",  # an emoji sequence
            *(_run(rf"[\p{{scx={script}}}&&\p{{L}}]") for script in _SCRIPTS),
            _run(r"\p{L}"),
            r"\p{N}[\p{N}\p{M}]*(?:['’\-‐‑][\p{N}\p{M}]+)*",
            r"\S\p{M}*",  # each other mark by itself
        ]
    ),
    flags=regex.V1,
)

_PICTURE = regex.compile(r"\p{Extended_Pictographic}|\p{RI}")


@dataclass(frozen=True)
class Word:
    """A run of tokens that a reader sees as one word, with the white space in front of it."""

    text: str
    """The slice of what the model read."""
    role: Role
    tokens: Span
    """First and one-past-last position in the prompt (answer tokens follow the prompt's)."""


def word_spans(text: str) -> list[Span]:
    """The words of a text, in order, without the white space between them.

    A word is a run of letters and digits of one script with its inner apostrophes and hyphens, or an emoji sequence;
    each other mark is one by itself.
    """
    return [match.span() for match in _WORD.finditer(text)]


def words_of(text: str) -> list[str]:
    """The words of a text, marks included."""
    return [text[start:end] for start, end in word_spans(text)]


def is_mark(word: str) -> bool:
    """Whether a word has no letter, no digit and no picture, such as a comma."""
    return not (any(character.isalnum() for character in word) or _PICTURE.search(word))


def fold(word: str) -> str:
    """A word as it is compared with another: without case and outer white space, its apostrophes straight."""
    return word.strip().casefold().replace("’", "'")


def folded_answer(answer: str) -> str:
    """An answer as it is compared with another: as `fold` does, and without outer marks."""
    return fold(answer.strip(" .!?"))


def token_words(text: str, spans: Sequence[Span], roles: Sequence[Role], first: int = 0) -> list[Word]:
    """Group tokens (character spans of `text`, in order) into words; each token is in exactly one.

    Words that share a token are one, a token of white space goes with the word after it, an unbroken run of template
    tokens is one word. `first` is the position of the first token.
    """
    groups = _groups(text, spans, roles)
    words, read_to = [], 0
    for start, end in groups:
        read_end = max(read_to, *(spans[token][1] for token in range(start, end)))
        words.append(Word(text[read_to:read_end], roles[end - 1], (first + start, first + end)))
        read_to = read_end
    return words


def _groups(text: str, spans: Sequence[Span], roles: Sequence[Role]) -> list[Span]:
    """First and one-past-last token of each word."""
    owner = _owners(text)
    groups: list[Span] = []
    start, last_seen = 0, None  # first token of the open group; the last word that it has characters of
    for token, (begin, end) in enumerate(spans):
        seen = [owner[at] for at in range(begin, end) if owner[at] is not None]
        same_role = token > 0 and roles[token] == roles[token - 1]
        if token > start and not _continues(same_role, roles[token], last_seen, seen):
            groups.append((start, token))
            start, last_seen = token, None
        if seen:
            last_seen = seen[-1]
    if spans:
        groups.append((start, len(spans)))
    return groups


def _continues(same_role: bool, role: Role, last_seen: int | None, seen: list[int | None]) -> bool:
    """Whether a token stays in the open group: a template's run, white space before its word, or a shared word."""
    if not same_role:
        return False
    if role == "template" or last_seen is None:
        return True
    return bool(seen) and seen[0] == last_seen


def _owners(text: str) -> list[int | None]:
    """For each character the index of its word; None for white space."""
    owner: list[int | None] = [None] * len(text)
    for index, (start, end) in enumerate(word_spans(text)):
        owner[start:end] = [index] * (end - start)
    return owner
