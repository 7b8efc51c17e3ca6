"""Text, numbers and tables as HTML in which everything appears exactly as it is, whatever markup it spells."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from html import escape
from numbers import Integral
from typing import Any

import pandas as pd

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown, visible

LINE_END = "\n"
MOST_ROWS = 500
"""Rows of a table that a page shows."""

QUOTED = "(“)([^“”]+)(”)|(„)([^„“]+)(“)"
"""What stands in the quotation marks of any of our languages."""

_MARKUP = {ord(each): f"\\u{ord(each):04x}" for each in "<>&"}


def exact(text: str) -> str:
    """Text as HTML that shows it as it is: no markup, line ends kept, what cannot be seen by its number."""
    return escape(visible(text, but=LINE_END))


def verbatim(text: str) -> str:
    """Text as HTML from which it can be copied to the letter; half a surrogate pair, which no file holds, is named."""
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def sentence(text: str) -> str:
    """A sentence as HTML; each quoted word keeps its own direction, so that Hebrew turns no figures around.

    A figure stays on one line with its percent sign or its unit.
    """
    quoted = re.sub(QUOTED, r"\1\4<bdi>\2\5</bdi>\3\6", escape(visible(text)))
    return re.sub(r"(\d) (%|[kMG]B)", "\\1\N{NO-BREAK SPACE}\\2", quoted)


def script_json(value: Any) -> str:
    """A value as JSON of plain ASCII, for a script element: no text in it can end that, or begin a comment.

    Raises ValueError where a number in it is not finite.
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_MARKUP)


def facts(pairs: Mapping[str, str]) -> str:
    """Names with what they are, as a list of two columns; those without a value are left out."""
    rows = (f"<dt>{escape(name)}</dt><dd>{exact(value)}</dd>" for name, value in pairs.items() if value)
    return f'<dl class="facts">{"".join(rows)}</dl>'


def folded(summary: str, content: str) -> str:
    """Content that is closed until it is wanted."""
    return f"<details><summary>{sentence(summary)}</summary>{content}</details>"


def frame_table(title: str, frame: pd.DataFrame) -> str:
    """A frame as a table that can be read aloud and scrolled by keyboard; of a long one, its first rows."""
    whole, drawn = len(frame), frame.head(MOST_ROWS)
    caption = _caption(visible(title), whole)
    kinds = [' class="number"' if pd.api.types.is_numeric_dtype(kind) else "" for kind in frame.dtypes]
    head = "".join(
        f'<th scope="col"{kind}>{escape(visible(str(name)))}</th>'
        for name, kind in zip(frame.columns, kinds, strict=True)
    )
    body = "".join(_row(row, kinds) for row in drawn.itertuples(index=False, name=None))
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _caption(title: str, whole: int) -> str:
    if whole > MOST_ROWS:
        first, n = number(MOST_ROWS, ","), number(whole, ",")
        return say("{title}: the first {first} of {n} rows", title=title, first=first, n=n)
    return say("{title}: all {n} rows", title=title, n=number(whole, ","))


def _row(cells: Iterable[Any], kinds: Iterable[str]) -> str:
    drawn = (f"<td{kind}>{escape(_cell(cell))}</td>" for cell, kind in zip(cells, kinds, strict=True))
    return f"<tr>{''.join(drawn)}</tr>"


def _cell(value: Any) -> str:
    """A value in a table: numbers to six digits, texts with their outer spaces as dots, nothing for what is missing."""
    if isinstance(value, float):
        return "" if math.isnan(value) else number(value, ".6g")
    if isinstance(value, Integral) and not isinstance(value, bool):
        return number(int(value))
    return "" if value is None or value is pd.NA else shown(str(value))
