"""Texts in the language that is spoken. In English they stand where they are said: gettext's way, with Babel's files.

A text is a whole sentence, or a part that stands by itself, with names in braces for what is filled in: other languages
have another order of words. `scripts/texts.py` collects all texts that are said, or marked to be said later.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO

from llm_tracker.languages.spoken import ENGLISH, FOLDER, language


def say(text: str, /, *, context: str = "", **values: object) -> str:
    """A text in the language that is spoken, with its values filled in.

    `context` tells apart two texts that are the same in English only. What has no translation is said in English.
    """
    if not text:  # under which gettext keeps what a catalogue says of itself
        return ""
    said = _translations(language())
    told = said.pgettext(context, text) if context else said.gettext(text)
    return told.format(**values) if values else told


def say_n(one: str, several: str, n: int, /, *, context: str = "", **values: object) -> str:
    """A text that depends on a number: `one` of 1, `several` of all others in English. `{n}` is filled in, too."""
    said = _translations(language())
    told = said.npgettext(context, one, several, n) if context else said.ngettext(one, several, n)
    return told.format(**{"n": n, **values})


NOUNS_WITH_CAPITALS = ("de",)
"""Languages in which the first letter tells a noun, wherever it stands."""


def within_a_sentence(text: str) -> str:
    """A text that begins with a capital, as it stands inside of a sentence."""
    return text if language() in NOUNS_WITH_CAPITALS else f"{text[:1].lower()}{text[1:]}"


def later(text: str, /, *, context: str = "") -> str:
    """Marks a text of a constant, which is said with `say` when it is shown; the context has to be said then, too."""
    del context
    return text


@cache
def _translations(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with FOLDER.joinpath(code, "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
