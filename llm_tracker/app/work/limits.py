"""What a visitor may ask of the app: little bounds it on one's own machine, and much on a host that strangers share."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, fields

from llm_tracker.app.work.keeping.most_kept import MostKept
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say

MINUTE_SECONDS = 60.0

MEGABYTE = 10**6

ENDLESS = 10**9
"""Of conversations, or of megabytes of them."""

VISITORS_AT_AN_ADDRESS = 30
"""A class shares one address: so many visitors' worth of requests may come from one."""

MAX_REMEMBERED = 10_000
"""Visitors whose requests of the last minute are counted; past it, those seen longest ago are forgotten."""


@dataclass(frozen=True)
class Limits:
    """None, or a very large number, where there is no bound."""

    text: int = 100_000
    """Characters of a question or a correction."""
    prompt_tokens: int | None = None
    """Of the conversation that is gone on with."""
    answer_tokens: int = 256
    thought_tokens: int = 1024
    samples: int = 128
    """Answers that are sampled at once."""
    upload_megabytes: int = 1024
    sessions: int | None = None
    """Conversations that are kept of one visitor; the oldest without a star goes."""
    kept_megabytes: int | None = None
    """What these take together."""
    a_minute: int | None = None
    """Questions, corrections and further work that one visitor may begin in a minute."""
    waiting: int | None = None
    """Jobs that may wait for one model."""

    @property
    def most_kept(self) -> MostKept | None:
        """What is kept of one visitor; None where there is no bound."""
        if self.sessions is None and self.kept_megabytes is None:
            return None
        return MostKept(self.sessions or ENDLESS, (self.kept_megabytes or ENDLESS) * MEGABYTE)


OPEN = Limits()
"""On one's own machine."""

PUBLIC = Limits(
    text=1000,
    prompt_tokens=2048,
    answer_tokens=32,
    thought_tokens=256,
    samples=16,
    upload_megabytes=20,
    sessions=100,
    kept_megabytes=200,
    a_minute=20,
    waiting=60,
)
"""On a host that strangers share."""


def limits_of(text: str, of: Limits) -> Limits:
    """Limits with some of them changed by a text such as `answer_tokens=64, a_minute=30`.

    Raises InputError for a name that there is not, and for what is no whole number above 0.
    """
    names = [field.name for field in fields(Limits)]
    changed = {name: getattr(of, name) for name in names}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, value = (each.strip() for each in part.partition("="))
        if name not in names or not value.isdecimal() or int(value) == 0:
            raise InputError(
                say(
                    "The limit “{limit}” cannot be used. Write name=number, of: {names}, with commas between.",
                    limit=part,
                    names=", ".join(names),
                )
            )
        changed[name] = int(value)
    return Limits(**changed)


class Pace:
    """Counts what each visitor began in the last minute."""

    def __init__(self, a_minute: int | None) -> None:
        self._a_minute = a_minute
        self._began: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def seconds_to_wait(self, visitor: str) -> float:
        """0 where something more may begin, which is then counted; else how long until it may."""
        if self._a_minute is None:
            return 0.0
        now = time.monotonic()
        with self._lock:
            began = self._began.setdefault(visitor, deque())
            self._began.move_to_end(visitor)
            while len(self._began) > MAX_REMEMBERED:
                self._began.popitem(last=False)
            while began and began[0] <= now - MINUTE_SECONDS:
                began.popleft()
            if len(began) >= self._a_minute:
                return began[0] + MINUTE_SECONDS - now
            began.append(now)
            return 0.0
