"""Take a view along: its chart as PNG and SVG, its numbers as CSV and Parquet."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.export import images, tables
from llm_tracker.export.theme import Scheme
from llm_tracker.figures.figure import Figure


def export_menu(name: str, figure: Figure) -> None:
    """A menu beside a view; what is taken along is made when it is."""
    scheme: Scheme = "dark" if st.context.theme.type == "dark" else "light"
    with st.popover("Export", key=f"export {name}"):
        paragraph("The chart, in the colours of this page", quiet=True)
        with st.container(horizontal=True):
            _button(name, "PNG", "image/png", lambda: images.png(figure.chart, scheme))
            _button(name, "SVG", "image/svg+xml", lambda: images.svg(figure.chart, scheme))
        paragraph("Its numbers, with every digit", quiet=True)
        with st.container(horizontal=True):
            _button(name, "CSV", "text/csv", lambda: tables.csv(figure.frame))
            _button(name, "Parquet", "application/vnd.apache.parquet", lambda: tables.parquet(figure.frame))


def _button(name: str, kind: str, mime: str, make: Callable[[], str | bytes]) -> None:
    st.download_button(
        kind, make, file_name=f"{name}.{kind.lower()}", mime=mime, key=f"{kind} of {name}", on_click="ignore"
    )
