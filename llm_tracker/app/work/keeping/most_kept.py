"""How much a visitor may have in the store of a host that is shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError
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
        """Whether there is more. Raises StoreError."""
        n, n_bytes = store.count(Query())
        return n > self.sessions or n_bytes > self.n_bytes

    def room_in(self, store: Store) -> int:
        """How many sessions more there may be. Raises StoreError."""
        return max(0, self.sessions - store.count(Query())[0])

    def require_room_for_star(self, store: Store) -> None:
        """Raise InputError where no more may have a star, StoreError."""
        if store.count(Query(starred=True))[0] >= self.stars:
            raise InputError(
                f"At most {self.stars} conversations can have a star here: take it from another one first."
            )
