"""The Guide page: reading the views, speaking about them honestly, the terms. Its text is guide.md of each language."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.languages.spoken import document
from llm_tracker.languages.texts import later, say

WORDINGS = {"plain": later("In plain words"), "exact": later("Exactly")}
"""How the terms are explained."""

PLAIN, EXACT = 2, 3
"""Which sections explain the terms, one so and one so: of the two one is shown."""


def guide() -> None:
    """All of the Guide: its title with a line below, then its sections, each with a heading."""
    opening, *sections = document("guide.md").split("\n## ")
    title, _, line = opening.partition("\n")
    st.title(title.removeprefix("# "), anchor=False)
    st.caption(line.strip())
    with st.container(key="guide"):
        for number, section in enumerate(sections):
            if number == PLAIN:
                section = sections[EXACT if _wording() == "exact" else PLAIN]
            if number != EXACT:
                _section(section)


def _wording() -> str:
    names = list(WORDINGS)
    chosen = st.segmented_control(
        say("Terms"),
        names,
        default=names[0],
        format_func=lambda name: say(WORDINGS[name]),
        key=labelled_key("wording of terms"),
        required=True,
    )
    return str(chosen)


def _section(section: str) -> None:
    heading, _, text = section.partition("\n")
    st.subheader(heading, anchor=False)
    st.markdown(text)
