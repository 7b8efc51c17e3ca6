"""What a view drew last, so that a rerun that changes nothing about it computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import streamlit as st

T = TypeVar("T")


def remembered(view: str, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` returned when this tab last drew this view with this key; made anew for another key.

    Turns are told apart by identity, and the entry holds them: none can be mistaken for a later one.
    """
    entry = st.session_state.get(f"remembered {view}")
    if entry is None or entry[0] != key:
        entry = (key, make())
        st.session_state[f"remembered {view}"] = entry
    return cast(T, entry[1])


@dataclass(frozen=True)
class Picture:
    """A chart with its sentence, ready to be drawn."""

    spec: dict[str, Any]
    sentence: str

    def draw(self, what: str) -> None:
        """The chart; `what` it shows and its sentence are its text alternative."""
        st.vega_lite_chart(spec=dict(self.spec), alt=f"{what}. {self.sentence}")


def picture(chart: Any, sentence: str) -> Picture:
    """A chart of Altair as a picture.

    It is not held against Vega-Lite's schema here: that takes as long as making it, and tests do it for every chart.
    """
    return Picture(chart.to_dict(validate=False), sentence)
