"""All ways to write a word at the beginning of an answer, as a byte-level tokenizer cuts them; written anew."""

from __future__ import annotations

from collections.abc import Iterable

import llm_tracker as lt


def ways(model: lt.LoadedModel, words: Iterable[str]) -> set[tuple[int, ...]]:
    """As given, small, in capitals and with a capital in front, with and without a space in front."""
    cases = {case for word in words for case in (word, word.lower(), word.upper(), word[:1].upper() + word[1:])}
    texts = {space + case for case in cases for space in ("", " ")}
    return {tuple(model.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts}
