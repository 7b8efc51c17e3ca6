"""Keys of widgets whose options have labels in the language of the page: the browser tells an option by its label."""

from __future__ import annotations

import streamlit as st

from llm_tracker.languages.spoken import ENGLISH, language

KEYS = "labelled keys"
"""The keys of this tab that have another form in every language, in English."""


def labelled_key(key: str) -> str:
    """The key of a widget with labels, in the language of the page: in each it is a widget of its own.

    A browser that has not drawn the page in another language yet still sends the labels of before. Under one key they
    would be taken for choices that nobody has; under their own they mean what they meant.
    """
    known: dict[str, None] = st.session_state.setdefault(KEYS, {})
    known[key] = None
    return _in_language(key, language())


def carry_choices_over(before: str, now: str) -> None:
    """What was chosen in one language, by its code, is chosen in another. Called before any widget is drawn."""
    for key in st.session_state.get(KEYS, {}):
        earlier = _in_language(key, before)
        if earlier in st.session_state:
            st.session_state[_in_language(key, now)] = st.session_state[earlier]


def _in_language(key: str, code: str) -> str:
    return key if code == ENGLISH else f"{key} in {code}"
