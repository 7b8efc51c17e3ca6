"""Which stored sessions are listed, and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, or_, select, text

from llm_tracker.errors import InputError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.storage.store.summaries import Outcome, folded
from llm_tracker.storage.store.tables import sessions

Order = Literal["newest", "oldest", "changed", "title", "size"]

MOST_WORDS = 100

SHORTEST_INDEXED = 3
"""Characters of a word that the index of SQLite (trigrams) can find; shorter ones are looked for row by row."""


@dataclass(frozen=True)
class Query:
    """What is looked for; what is None, or empty, does not matter."""

    search: str | None = None
    """Words that all occur in the questions, answers, name, tags, note or model, in any case, also within words."""
    model: str | None = None
    """A model's id or title."""
    outcome: Outcome | None = None
    starred: bool | None = None
    tag: str | None = None
    deleted: bool = False
    """Those that were deleted and can be brought back, instead of those that are kept."""
    order: Order = "newest"

    def __post_init__(self) -> None:
        """Refuse an order that there is not, and more words than a database takes. Raises InputError."""
        if self.order not in get_args(Order):
            raise InputError(
                say(
                    "There is no order “{order}”. Choose one of: {orders}.",
                    order=self.order,
                    orders=", ".join(get_args(Order)),
                )
            )
        if len(self.words) > MOST_WORDS:
            raise InputError(
                say(
                    "{n} words are too many to search for. Give {most} at most.",
                    n=number(len(self.words), ","),
                    most=MOST_WORDS,
                )
            )

    @property
    def words(self) -> list[str]:
        """The words of `search`, as the store has them."""
        return folded(self.search or "").split()

    @property
    def is_narrowed(self) -> bool:
        """Whether not all are found: of those that are kept, or of those that were deleted."""
        return replace(self, order="newest") != Query(deleted=self.deleted)

    def narrowed(self, rows: Select[Any], owner: str, indexed: bool) -> Select[Any]:
        """A selection of `sessions`, with these conditions."""
        return rows.where(*self._conditions(owner, indexed))

    def _conditions(self, owner: str, indexed: bool) -> Iterator[ColumnElement[bool]]:
        yield sessions.c.owner == owner
        yield sessions.c.n_turns > 0
        yield sessions.c.deleted_at.is_not(None) if self.deleted else sessions.c.deleted_at.is_(None)
        if self.model:
            yield or_(sessions.c.model_id == self.model, sessions.c.model_title == self.model)
        if self.outcome:
            yield sessions.c.outcome == self.outcome
        if self.starred is not None:
            yield sessions.c.starred == self.starred
        if self.tag:
            yield sessions.c.tags.contains(json.dumps(self.tag), autoescape=True)
        for word in self.words:
            if indexed and len(word) >= SHORTEST_INDEXED:
                yield sessions.c.id.in_(_indexed(word))
            else:
                yield sessions.c.searched.contains(word, autoescape=True)

    def ordering(self) -> list[ColumnElement[object]]:
        """By what the rows are sorted. New ones have higher numbers, whatever a clock says."""
        newest: ColumnElement[object] = sessions.c.id.desc()
        first = {
            "newest": [],
            "oldest": [sessions.c.id.asc()],
            "changed": [sessions.c.changed_at.desc()],
            "title": [sessions.c.searched.asc()],
            "size": [sessions.c.n_bytes.desc()],
        }[self.order]
        return [*first, newest]


def _indexed(word: str) -> Select[tuple[int]]:
    """The numbers of the rows in which a word occurs, of SQLite's index; the word is a phrase, and no query."""
    phrase = '"' + word.replace('"', '""') + '"'
    found = text("session_search MATCH :phrase").bindparams(phrase=phrase)
    return select(text("rowid")).select_from(text("session_search")).where(found)
