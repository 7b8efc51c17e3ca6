"""A queue in which visitors take turns: who asks for much does not keep the others waiting."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Round robin over visitors, first come first served for each.

    Whoever has just been served stands behind all others that wait.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._changed = threading.Condition()

    def put(self, visitor: str, item: T) -> None:
        """Queue something of a visitor."""
        with self._changed:
            self._waiting.setdefault(visitor, deque()).append(item)
            self._changed.notify()

    def take(self) -> T:
        """What is next; waits until there is something."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            visitor, items = next(iter(self._waiting.items()))
            item = items.popleft()
            del self._waiting[visitor]
            if items:
                self._waiting[visitor] = items
            return item

    def remove(self, is_gone: Callable[[T], bool]) -> list[T]:
        """Take out what nobody waits for any more, and return it."""
        with self._changed:
            gone = [item for items in self._waiting.values() for item in items if is_gone(item)]
            if gone:
                kept = {
                    visitor: deque(item for item in items if item not in gone)
                    for visitor, items in self._waiting.items()
                }
                self._waiting = OrderedDict((visitor, items) for visitor, items in kept.items() if items)
            return gone

    def __iter__(self) -> Iterator[T]:
        """What waits, in the order in which it will be taken if nothing more comes."""
        with self._changed:
            rounds: Iterable[tuple[T | None, ...]] = zip_longest(*self._waiting.values())
            return iter([item for each in rounds for item in each if item is not None])
