"""Which language is spoken: chosen by the visitor of a page, carried along by the work that is done for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

ENGLISH = "en"

NAMES = {"en": "English", "de": "Deutsch", "es": "Español"}
"""Each language as its speakers call it, by its code. What is not written in English has a folder of its code here."""

FOLDER = Path(__file__).parent

_chosen: ContextVar[str] = ContextVar("language")


def _english() -> str:
    return ENGLISH


_asked: Callable[[], str] = _english


def language() -> str:
    """The code of the language that is spoken here and now."""
    return _chosen.get(None) or _asked()


def ask_for_language(asked: Callable[[], str]) -> None:
    """From now on `asked` says which language is spoken, where no work carries one."""
    global _asked
    _asked = asked


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Speak a language, by its code, within this block."""
    token = _chosen.set(code)
    try:
        yield
    finally:
        _chosen.reset(token)


def in_this_language(make: Callable[[], T]) -> Callable[[], T]:
    """The same, made in the language of now whenever and wherever it is made."""
    code = language()

    def made() -> T:
        with in_language(code):
            return make()

    return made


def document(name: str) -> str:
    """A text that is a document of its own in each language, such as `guide.md`; English where there is none yet."""
    own = FOLDER.joinpath(language(), name)
    return (own if own.is_file() else FOLDER.joinpath(ENGLISH, name)).read_text(encoding="utf-8")
