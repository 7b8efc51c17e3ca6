"""What a chart's specification says: its marks with the rows that they draw, and every text that Vega reads as code."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
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

OWN_CODE = "(datum.value > 0)"
"""How charts of differences tell the signs apart."""

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


_known: list[tuple[Any, dict[str, Any]]] = []
"""The chart that was asked about last, with its specification: making one takes most of a test's time."""


def spec_of(chart: Any) -> dict[str, Any]:
    """The specification of a chart, checked against the schema of Vega-Lite."""
    if not _known or _known[0][0] is not chart:
        _known[:] = [(chart, chart.to_dict())]
    return copy.deepcopy(_known[0][1])


def marks(chart: Any) -> list[Mark]:
    """The marks of a chart, those of layers within layers too, in the order in which they are drawn."""
    spec = spec_of(chart)
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


def tokens_in_code(chart: Any) -> list[str]:
    """The expressions of a chart, as Vega reads them in the end, in which one of the longer `NASTY_TOKENS` stands."""
    import vl_convert

    spec = spec_of(chart)
    found = {*_code(spec), *_code(vl_convert.vegalite_to_vega(spec))} - {OWN_CODE}
    return [code for code in found if any(len(text) > 5 and text in code for text in NASTY_TOKENS)]


def _code(spec: Any) -> Iterator[str]:
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key in CODE and isinstance(value, str):
                yield value
            yield from _code(value)
    elif isinstance(spec, list):
        for each in spec:
            yield from _code(each)


def drawn_texts(chart: Any) -> list[str]:
    """Every text of a chart's picture."""
    root = ElementTree.fromstring(svg(spec_of(chart), "light"))
    return ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
