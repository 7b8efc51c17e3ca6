"""One text where several may be given."""

from __future__ import annotations

from collections.abc import Iterable


def several(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts; a single one given where several may be is one text, not its letters."""
    return (texts,) if isinstance(texts, str) else tuple(texts)
