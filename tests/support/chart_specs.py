"""What a chart's specification says: its marks with the rows that they draw, and every text that Vega reads as code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

from llm_tracker.export.images import svg

NASTY_TOKENS = (
    '"quoted"',
    "back\\slash",
    "</script><b>",
    "$x^2$ **bold** :red[x]",
    "東京 🍎",
    "line\nend",
    "datum.value",
    "'",
    "if",
    "event",
    '"]',
)
"""Tokens that a chart could take for code."""

CODE = ("expr", "signal", "test", "update", "init", "calculate")
"""The keys under which Vega and Vega-Lite keep expressions."""


@dataclass(frozen=True)
class Mark:
    """One layer of a chart."""

    kind: str
    """“rect”, “bar”, “text”, …"""
    look: dict[str, Any]
    """How it is drawn: `mark` of the specification."""
    encoding: dict[str, Any]
    rows: list[dict[str, Any]]

    def column(self, name: str) -> list[Any]:
        """One column of its rows."""
        return [row[name] for row in self.rows]


def marks(chart: Any) -> list[Mark]:
    """The marks of a chart, those of layers within layers too, in the order in which they are drawn.

    The specification is checked against the schema of Vega-Lite on the way.
    """
    spec = chart.to_dict()
    return list(_marks(spec, spec.get("datasets", {}), None))


def _marks(spec: dict[str, Any], datasets: dict[str, Any], data: Any) -> Iterator[Mark]:
    data = spec.get("data", data)
    for layer in spec.get("layer", []):
        yield from _marks(layer, datasets, data)
    if "mark" in spec:
        yield Mark(spec["mark"]["type"], spec["mark"], spec["encoding"], datasets[data["name"]])


def of_kind(chart: Any, kind: str) -> list[Mark]:
    """The marks of a kind."""
    return [mark for mark in marks(chart) if mark.kind == kind]


def texts_of_data(chart: Any) -> set[str]:
    """Every text among the rows that a chart draws."""
    return {value for mark in marks(chart) for row in mark.rows for value in row.values() if isinstance(value, str)}


def code_in(chart: Any) -> list[str]:
    """Every expression of a chart, as Vega reads it in the end."""
    import vl_convert

    spec = chart.to_dict()
    return [*_code(spec), *_code(vl_convert.vegalite_to_vega(spec))]


def _code(spec: Any) -> Iterator[str]:
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key in CODE and isinstance(value, str):
                yield value
            yield from _code(value)
    elif isinstance(spec, list):
        for each in spec:
            yield from _code(each)


@cache
def _svg_name(tag: str) -> str:
    return f"{{http://www.w3.org/2000/svg}}{tag}"


def drawn_texts(chart: Any) -> list[str]:
    """Every text of a chart's picture."""
    root = ElementTree.fromstring(svg(chart, "light"))
    return ["".join(each.itertext()) for each in root.iter(_svg_name("text"))]
