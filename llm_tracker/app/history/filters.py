"""What of the history is shown: words to search for, filters, order, and which stretch of a long list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast, get_args

import streamlit as st

from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.storage.store.finding import Order, Query
from llm_tracker.storage.store.store import Store
from llm_tracker.storage.store.summaries import Outcome
from llm_tracker.wording.formats import capitalised
from llm_tracker.wording.history import OUTCOMES

ROWS = 25
"""Conversations on the page at once."""

ORDERS: dict[Order, str] = {
    "newest": later("Newest first"),
    "oldest": later("Oldest first"),
    "changed": later("Last changed first"),
    "title": later("By name or question"),
    "size": later("Largest first"),
}

STAR, DELETED = later("★ starred"), later("deleted")

STRETCH = "history stretch"


def query_fields(store: Store) -> Query:
    """The fields, and what they say."""
    words = st.text_input(
        say("Search"),
        key="history search",
        placeholder=say("Search questions, answers, names, tags and notes"),
        persist_state="session",
        on_change=_from_the_first,
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, vertical_alignment="center", key="history_fields"):
        # The label says how many are on; the key keeps the popover the same one.
        n_on = sum(bool(st.session_state.get(labelled_key(f"history {name}"))) for name in FILTERS)
        with st.popover(say("Filter ({n} on)", n=n_on) if n_on else say("Filter"), key="history filter"):
            filtered = _filters(store)
        sorted_by = st.selectbox(
            say("Sorted"),
            get_args(Order),
            format_func=lambda name: say(ORDERS[name]),
            key=labelled_key("history order"),
            persist_state="session",
            on_change=_from_the_first,
            label_visibility="collapsed",
            width=230,
        )
    return replace(filtered, search=words or None, order=sorted_by)


FILTERS = ("model", "outcome", "tag", "only")


def _filters(store: Store) -> Query:
    models, tags = store.models(), store.tags()
    of_model = _one_of(say("Model"), {"": say("Any model"), **models}, "model")
    labels = {name: capitalised(say(label)) for name, label in OUTCOMES.items() if name != "none"}
    of_outcome = _one_of(say("The answer"), {"": say("Anything"), **labels}, "outcome")
    of_tag = _one_of(say("Tag"), {"": say("Any or none"), **{tag: tag for tag in tags}}, "tag")
    only = st.pills(
        say("Only"),
        [STAR, DELETED],
        format_func=say,
        key=labelled_key("history only"),
        persist_state="session",
        on_change=_from_the_first,
    )
    return Query(
        model=of_model or None,
        outcome=cast(Outcome, of_outcome) or None,
        starred=True if only == STAR else None,
        tag=of_tag or None,
        deleted=only == DELETED,
    )


def _one_of(label: str, options: Mapping[str, str], name: str) -> str:
    """A box for one of several, the first of which is any."""
    return st.selectbox(
        label,
        list(options),
        format_func=lambda option: options.get(option, option),
        key=labelled_key(f"history {name}"),
        persist_state="session",
        on_change=_from_the_first,
    )


def _from_the_first() -> None:
    st.session_state[STRETCH] = 0


def shown_stretch(n: int) -> tuple[int, int]:
    """From where the list of so many is shown, and to where."""
    at = min(int(st.session_state.get(STRETCH, 0)), max(0, n - 1))
    return at, min(n, at + ROWS)


def stretch_buttons(n: int) -> None:
    """Buttons to the rest of a list that is longer than what is shown of it."""
    first, last = shown_stretch(n)
    if (first, last) == (0, n):
        return

    def go(to: int) -> None:
        st.session_state[STRETCH] = max(0, to)

    with st.container(horizontal=True, vertical_alignment="center", key="history_stretch"):
        back, on = say("Earlier in the list"), say("Later in the list")
        st.button(back, key="stretch back", on_click=go, args=(first - ROWS,), disabled=first == 0)
        st.button(on, key="stretch on", on_click=go, args=(first + ROWS,), disabled=last == n)
        where = {"first": number(first + 1, ","), "last": number(last, ","), "n": number(n, ",")}
        st.caption(say("{first} to {last} of {n}", **where))
