"""The Guide page: reading the views, speaking about them honestly, and the terms. Its text is guide.md."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

GUIDE = Path(__file__).with_name("guide.md")


def guide() -> None:
    """All of the Guide: its title with a line below, then its sections, each with a heading."""
    opening, *sections = GUIDE.read_text(encoding="utf-8").split("\n## ")
    title, _, line = opening.partition("\n")
    st.title(title.removeprefix("# "), anchor=False)
    st.caption(line.strip())
    with st.container(key="guide"):
        for section in sections:
            heading, _, text = section.partition("\n")
            st.subheader(heading, anchor=False)
            st.markdown(text)
