"""Conversations in memory by their numbers, and how much they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING

from llm_tracker.app.work.turn_ref import EXAMPLE

if TYPE_CHECKING:
    from llm_tracker.tracing.session import Session


class HeldSessions(MutableMapping[int, "Session"]):
    """What is iterated over are those in memory, whatever else can be opened."""

    def __init__(self, sessions: Mapping[int, Session]) -> None:
        self._in_memory: dict[int, Session] = dict(sessions)
        self._n_bytes: int | None = None

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._in_memory))

    def __len__(self) -> int:
        return len(self._in_memory)

    def is_in_memory(self, number: int) -> bool:
        """Whether a session can be had without the store."""
        return number in self._in_memory

    def forget(self, numbers: Iterable[int]) -> None:
        """Let sessions go from memory that the store does not have any more."""
        for number in filter(self.is_in_memory, numbers):
            del self[number]

    @property
    def n_bytes(self) -> int:
        """What the traces of those in memory take, but for the example's; turns that several share count once."""
        n_bytes = self._n_bytes
        if n_bytes is None:  # another thread may keep a session meanwhile: what is returned is never None
            n_bytes = self._n_bytes = self.bytes_of(number for number in self if number != EXAMPLE)
        return n_bytes

    def bytes_of(self, numbers: Iterable[int]) -> int:
        """What the traces of some of those in memory take."""
        held = dict(self._in_memory)
        turns = [turn for number in numbers if number in held for turn in held[number].all_turns]
        return sum({id(turn.trace): turn.trace.n_bytes for turn in turns}.values())

    def _hold(self, number: int, session: Session) -> None:
        self._in_memory[number], self._n_bytes = session, None

    def _drop(self, number: int) -> None:
        del self._in_memory[number]
        self._n_bytes = None
