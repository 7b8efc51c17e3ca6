"""What typed text may hold."""

from __future__ import annotations

from collections.abc import Iterable

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say


def require_plain(texts: Iterable[str]) -> None:
    """Raise InputError for typed text with a character that no tokenizer can be given."""
    text = "".join(texts)
    if "\x00" in text:
        raise InputError(say("The text contains a NUL character, which no model can read. Remove it and ask again."))
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(say("The text contains half a character (a lone surrogate). Remove it and ask again."))
