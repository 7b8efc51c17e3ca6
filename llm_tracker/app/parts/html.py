"""Pieces of HTML in which any text appears exactly as it is, with the classes of style.css."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path

import streamlit as st

from llm_tracker.charts.palette import AGAIN
from llm_tracker.export.html_text import sentence
from llm_tracker.wording.formats import visible

LINE_END = "\n"
STYLE = Path(__file__).with_name("style.css")


def style() -> None:
    """The pages' own style sheet."""
    st.html(STYLE)


def fade_views() -> None:
    """Draw the headline and the views pale: an answer is on its way, and they still show the one before it."""
    st.html("<style>.st-key-shown {opacity: .38}</style>")


def exact(text: str) -> str:
    """Text as HTML that shows it as it is: no markup, line ends kept, control and bidi characters by number."""
    return f'<bdi class="lt-exact">{escape(visible(text, but=LINE_END))}</bdi>'


def paragraph(text: str, quiet: bool = False, also: str = "") -> None:
    """A paragraph whose text is shown as it is, whatever markup it spells; `also` is a further class of style.css."""
    st.html(f'<p class="lt-text{" lt-quiet" if quiet else ""} {also}">{sentence(text)}</p>')


def plain_label(text: str) -> str:
    """Text that stands in a button or another label as it is: what would be markup there is escaped.

    Addresses become links whatever is escaped: a joiner that is not seen keeps them text.
    """
    unlinked = re.sub(r"(?i)(www)(?=\.)|(https?:)(?=//)|(?<=\w)(?=@)", "\\g<0>\u2060", visible(text))
    return re.sub(r"([\\`*_\[\]$:&<>~#])", r"\\\1", unlinked)


def failure(text: str) -> None:
    """What went wrong and what to do, where it happened; the text may hold what was typed."""
    st.html(f'<div class="lt-error" role="alert">{sentence(text)}</div>')


def table_html(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Collection[str] = (),
    bars: Sequence[float] = (),
) -> str:
    """A table that can be read aloud and scrolled by keyboard; the columns in `numbers` stand to the right.

    `bars` (a row) are shares that the last column draws as bars on one scale.
    """
    head = "".join(f'<th scope="col"{_kind(name, numbers)}>{escape(name)}</th>' for name in columns)
    largest = max(bars, default=0.0) or 1.0
    lengths: Sequence[float | None] = [share / largest for share in bars] or [None] * len(rows)
    body = "".join(
        f"<tr>{''.join(_cells(columns, row, numbers))}{_bar(length)}</tr>"
        for row, length in zip(rows, lengths, strict=True)
    )
    return (
        f'<div class="lt-scroll" tabindex="0" role="group" aria-label="{escape(caption)}"><table class="lt-table">'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}{'<td></td>' if bars else ''}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(columns: Sequence[str], row: Sequence[str], numbers: Collection[str]) -> list[str]:
    return [f"<td{_kind(name, numbers)}>{escape(visible(cell))}</td>" for name, cell in zip(columns, row, strict=True)]


def _bar(length: float | None) -> str:
    return "" if length is None else f'<td class="bar"><div style="width:{100 * length:.2f}%"></div></td>'


def _kind(name: str, numbers: Collection[str]) -> str:
    return ' class="number"' if name in numbers else ""


def legend(labels: Mapping[str, str], again: str = "", mark: str = "tick") -> None:
    """Coloured squares with their meaning (label -> colour), and the thin mark of the control where it is drawn."""
    entries = [
        f'<span class="entry"><i style="background:{colour}"></i>{escape(label)}</span>'
        for label, colour in labels.items()
    ]
    if again:
        entries.append(f'<span class="entry"><i class="{mark}" style="background:{AGAIN}"></i>{escape(again)}</span>')
    st.html(f'<div class="lt-legend">{"".join(entries)}</div>')
