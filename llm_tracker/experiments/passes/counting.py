"""How many tokens an experiment reads: what it costs, whatever the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class TokensRead:
    """Tokens that all rows of all passes had."""

    def __init__(self, n: int = 0) -> None:
        self.n = n


_counter: ContextVar[TokensRead | None] = ContextVar("tokens_read", default=None)


@contextmanager
def counting(counter: TokensRead) -> Iterator[None]:
    """Within this context what is read is counted."""
    token = _counter.set(counter)
    try:
        yield
    finally:
        _counter.reset(token)


def note_read(n_rows: int, n_tokens: int) -> None:
    """So many rows of so many tokens were read."""
    counter = _counter.get()
    if counter is not None:
        counter.n += n_rows * n_tokens
