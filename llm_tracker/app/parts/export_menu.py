"""Take a view along: its chart as PNG and SVG, its numbers as CSV and Parquet."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.pictures import scheme
from llm_tracker.export import images, tables
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.spoken import in_this_language
from llm_tracker.languages.texts import say


def export_menu(name: str, figure: Figure | None, copy: tuple[str, str] | None = None) -> None:
    """A menu beside a view; what is taken along is made when it is.

    `copy` are the lines of Python, and the commands, that give this view again.
    """
    if figure is None:
        return
    look = scheme()
    with st.popover(say("Export"), key=f"export {name}"):
        paragraph(say("The chart, in the colours of this page"), quiet=True)
        with st.container(horizontal=True):
            _button(name, "PNG", "image/png", lambda: images.png(images.captioned(figure), look))
            _button(name, "SVG", "image/svg+xml", lambda: images.svg(images.captioned(figure), look))
        paragraph(say("Its numbers, with every digit"), quiet=True)
        with st.container(horizontal=True):
            _button(name, "CSV", "text/csv", lambda: tables.csv(figure.frame))
            _button(name, "Parquet", "application/vnd.apache.parquet", lambda: tables.parquet(figure.frame))
        if copy is not None:
            _code(say("Copy as Python"), copy[0], "python")
            _code(say("Copy as command"), copy[1], "bash")


def _code(label: str, code: str, language: str) -> None:
    paragraph(label, quiet=True)
    st.code(code, language=language, wrap_lines=True)


def _button(name: str, kind: str, mime: str, make: Callable[[], str | bytes]) -> None:
    st.download_button(
        kind,
        in_this_language(make),
        file_name=f"{name}.{kind.lower()}",
        mime=mime,
        key=f"{kind} of {name}",
        on_click="ignore",
    )
