"""A plain record, as JSON has it -> a value of a kind that is told by its type, every field of it checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def decoded(kind: Any, value: Any) -> Any:
    """The value of a type: a dataclass (keys that it does not know are ignored), a tuple, a literal, a plain one.

    Raises TypeError or ValueError for what is of another kind, and for numbers that are not finite; KeyError for a
    field that is missing.
    """
    origin = get_origin(kind)
    if origin is Literal:
        return _one_of(get_args(kind), value)
    if origin is tuple:
        return _several(get_args(kind), value)
    if origin in (Union, UnionType):
        own = [each for each in get_args(kind) if each is not NoneType]
        return None if value is None and NoneType in get_args(kind) else decoded(own[0], value)
    if is_dataclass(kind):
        return _dataclass(kind, value)
    return _plain(kind, value)


def _plain(kind: Any, value: Any) -> Any:
    if kind is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{value!r} is no number")
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is no finite number")
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _one_of(options: tuple[Any, ...], value: Any) -> Any:
    found = [option for option in options if type(option) is type(value) and option == value]
    if not found:
        raise ValueError(f"{value!r} is none of {options}")
    return found[0]


def _several(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r} is no list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(decoded(kinds[0], each) for each in value)
    if len(kinds) != len(value):
        raise ValueError(f"{len(value)} values where {len(kinds)} belong")
    return tuple(decoded(kind, each) for kind, each in zip(kinds, value, strict=True))


def _dataclass(kind: Any, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no record")
    hints = _hints(kind)
    given = {}
    for field in fields(kind):
        if field.init and field.name in value:
            given[field.name] = decoded(hints[field.name], value[field.name])
        elif field.init and field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(field.name)
    return kind(**given)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
