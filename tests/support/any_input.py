"""What may be typed, and what may stand in a record: any of it, by chance."""

from __future__ import annotations

import copy
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as any_of

SOAK = bool(os.environ.get("SOAK"))
"""Set by `make soak`."""

any_input = settings(
    max_examples=10_000 if SOAK else 100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Each such test tries a hundred inputs, and ten thousand under `make soak`."""

HOSTILE = (
    "<script>alert(1)</script>",
    "**bold** :red[x] $x^2$ [a](http://b) `c`",
    "'; DROP TABLE sessions; --",
    "../../etc/passwd",
    "{{ 7 * 7 }} {% x %} ${y} %s %(a)s",
    "\0\x1b[31m\u202eabc\ud800",
    "👩‍👩‍👧‍👦🏳️‍🌈 \u0301\u0301 שלום عربى 東京 ﷽",
    "\r\n\t \u2028 \u00a0",
)

texts = any_of.one_of(
    any_of.text(max_size=200),
    any_of.text(any_of.characters(), max_size=60),  # half surrogates too
    any_of.sampled_from(HOSTILE),
    any_of.lists(any_of.sampled_from(HOSTILE), max_size=3).map("".join),
)

values = any_of.one_of(
    any_of.none(),
    any_of.booleans(),
    any_of.integers(-(2**70), 2**70),
    any_of.floats(),
    texts,
    any_of.lists(any_of.integers(-2, 10**6), max_size=4),
    any_of.dictionaries(any_of.text(max_size=8), any_of.integers(), max_size=3),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a record something stands, at every level."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, each in inside for place in places(each, (*at, key)))]


changes = any_of.lists(any_of.tuples(any_of.integers(0, 10**9), values, any_of.booleans()), min_size=1, max_size=3)
"""Where something changes (by chance), what stands there then, and whether nothing does."""


def with_changes(record: Any, made: list[tuple[int, Any, bool]]) -> Any:
    """The record with something else in some places, or with nothing there."""
    for at, value, is_gone in made:
        every = places(record)
        record = _changed(record, every[at % len(every)], value, is_gone)
    return record


def _changed(record: Any, place: tuple[Any, ...], value: Any, is_gone: bool) -> Any:
    """The record with something else in a place, or with nothing there."""
    if not place:
        return value
    result = copy.deepcopy(record)
    inside = result
    for key in place[:-1]:
        inside = inside[key]
    if is_gone:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    return result
