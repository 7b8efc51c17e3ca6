"""Which of many parameters `make test` tries: one of each kind. The others take the same path, in `make soak` only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def but_repeated(values: Iterable[Any], is_repeated: Callable[[Any], bool]) -> list[Any]:
    """The parameters (tuples: several of a test), of which those that repeat another one are marked `soak`."""
    return [_soaked(value) if is_repeated(value) else value for value in values]


def _soaked(value: Any) -> Any:
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.soak)


def one_of_each(values: Iterable[Any], kinds: Iterable[Any]) -> list[Any]:
    """The parameters, of which those that stand for no kind of their own are marked `soak`."""
    kept, every = set(kinds), list(values)
    if not kept <= set(every):
        raise ValueError(f"Of {sorted(map(str, every))} there is no {sorted(map(str, kept - set(every)))}.")
    return but_repeated(every, lambda value: value not in kept)
