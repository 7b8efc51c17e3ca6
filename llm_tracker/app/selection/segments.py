"""One of a few things, chosen from a row of segments: a field of the selection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.selection import chosen, unless_default

T = TypeVar("T", bound=str)


def segments(field: str, label: str, options: Mapping[T, str], help: str | None = None, **also: object) -> T:  # noqa: A002
    """What is chosen of `options` (value -> what it is called), the first unless another one is.

    It is the `field` of the selection of that name; `also` are fields that change with it.
    """
    values = list(options)
    value: T = chosen(getattr(selected(), field), values, values[0])
    key = labelled_key(f"{field} segments")
    choose = show_choice(key, value, lambda picked: select(**{field: unless_default(picked, values[0])}, **also))
    st.segmented_control(
        label,
        values,
        default=value,
        format_func=options.__getitem__,
        key=key,
        on_change=choose,
        required=True,
        help=help,
    )
    return value
