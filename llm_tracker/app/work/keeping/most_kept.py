"""How much a visitor may have in the store of a host that is shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.storage.store.finding import Query

if TYPE_CHECKING:
    from llm_tracker.storage.store.store import Store


@dataclass(frozen=True)
class MostKept:
    """Past this, the oldest sessions without a star go."""

    sessions: int
    n_bytes: int

    @property
    def stars(self) -> int:
        """How many may have a star: not all, or nothing new could be kept."""
        return self.sessions // 2

    def is_passed_by(self, store: Store) -> bool:
        """Whether there is more, deleted ones among it. Raises StoreError."""
        sizes = [store.count(Query(deleted=deleted)) for deleted in (False, True)]
        return sum(n for n, _ in sizes) > self.sessions or sum(n_bytes for _, n_bytes in sizes) > self.n_bytes

    def no_room(self, store: Store) -> str:
        """Why no more can be taken in; empty where it can. Raises StoreError."""
        n, n_bytes = store.count(Query())
        if n < self.sessions and n_bytes < self.n_bytes:
            return ""
        return say(
            "no more than {n} conversations, and {megabytes} MB of them, are kept here",
            n=number(self.sessions, ","),
            megabytes=number(self.n_bytes // 10**6, ","),
        )

    def require_room_for_star(self, store: Store) -> None:
        """Raise InputError where no more may have a star, StoreError."""
        if sum(store.count(Query(starred=True, deleted=deleted))[0] for deleted in (False, True)) >= self.stars:
            raise InputError(
                say("At most {n} conversations can have a star here: take it from another one first.", n=self.stars)
            )
