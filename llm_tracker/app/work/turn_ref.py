"""Which turn of which conversation: how pages, jobs and the address speak of one."""

from __future__ import annotations

from dataclasses import dataclass

EXAMPLE = 0
"""The number of the stored example among a workspace's sessions."""


@dataclass(frozen=True)
class TurnRef:
    """A turn of one of the workspace's sessions, by the session's number and the turn's place in it."""

    session: int
    turn: int

    def moved(self, session: int, now: int) -> TurnRef:
        """The same turn once a session has another number."""
        return TurnRef(now, self.turn) if self.session == session else self

    def __str__(self) -> str:
        """As the address writes it, such as `2.1`."""
        return f"{self.session}.{self.turn}"

    @classmethod
    def of(cls, text: str) -> TurnRef | None:
        """What the address wrote; None for anything else."""
        session, dot, turn = text.partition(".")
        is_whole = bool(dot) and all(part.isascii() and part.isdigit() and len(part) < 10 for part in (session, turn))
        return cls(int(session), int(turn)) if is_whole else None
