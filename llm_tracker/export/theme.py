"""The look of the screen, for charts outside it: on a page the browser themes them, in an export nobody else does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llm_tracker.charts.palette import AFTER, ANSWER, ASSISTANT, BEFORE, GRID, SYSTEM, THOUGHT, USER

Scheme = Literal["light", "dark"]
Spec = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

FONT = "sans-serif"
MARGIN = 16
"""Pixels around a picture, which has no page around it."""

EDGE = 5
"""Pixels around a chart on a page: without them its edge cuts the descenders of an axis title."""

PART_WIDTH = 640
"""Pixels of a part of a compound chart that is as wide as its place, where the place is not known yet."""

FIT: Spec = {"type": "fit", "contains": "padding"}
"""As Streamlit sets it: a chart's width and height have its axes and its padding in them."""

CONTAINER = "container"
COMPOUND = ("facet", "repeat", "concat", "hconcat", "vconcat")
SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Look:
    """The colours of a page: those of .streamlit/config.toml, and that of text which stands back."""

    background: str
    panel: str
    """Of what stands out from the background: `secondaryBackgroundColor`."""
    text: str
    primary: str
    border: str
    quiet: str


LOOKS: dict[Scheme, Look] = {
    "light": Look("#ffffff", "#f5f6f8", "#1c2430", "#2f5d8a", "#dfe3e8", "#5d6773"),
    "dark": Look("#12161c", "#1b2129", "#e6e9ee", "#7fb2e0", "#333c48", "#a3adb9"),
}


def chart_config(scheme: Scheme) -> Spec:
    """The Vega-Lite config of a scheme: fonts and colours of all that a chart does not colour itself."""
    look = LOOKS[scheme]
    words = {"labelFontSize": 12, "titleColor": look.text, "titleFontSize": 13, "titleFontWeight": "normal"}
    lines = {"gridColor": GRID, "domainColor": look.border, "tickColor": look.border, "ticks": False, "domain": False}
    labels = {"labelColor": look.quiet, "labelPadding": 8, "labelOverlap": True, "labelSeparation": 4}
    symbols = {"symbolBaseFillColor": look.quiet, "symbolBaseStrokeColor": look.quiet}  # without these: black
    return {
        "background": look.background,
        "font": FONT,
        "axis": {**words, **lines, **labels, "titlePadding": 12},
        "legend": {**words, **symbols, "labelColor": look.text, "layout": {"margin": 24}},
        "header": {**words, "labelColor": look.text},
        "title": {"anchor": "start", "color": look.text, "fontSize": 15, "subtitleColor": look.quiet},
        "mark": {"color": BEFORE},
        "text": {"color": look.text},
        "rule": {"color": look.quiet},
        "view": {"stroke": None},
        "range": {"category": [BEFORE, AFTER, USER, ASSISTANT, THOUGHT, ANSWER, SYSTEM]},
    }


def spec_of(chart: Any) -> Spec:
    """The specification of an Altair chart, or a copy of one that is given as a mapping."""
    return dict(chart) if isinstance(chart, Mapping) else chart.to_dict(validate=False)


def themed(spec: Mapping[str, Any], scheme: Scheme, width: int) -> Spec:
    """A spec as a picture of `width` pixels: a scheme's config underneath its own, and a margin all around.

    What the spec says itself wins. A chart with a width of its own keeps it, and so do the parts of a compound one (a
    facet, a row, a column) but those that are as wide as their place; such a picture is as wide as its parts together.
    """
    own = {**spec, "config": _merged(chart_config(scheme), spec.get("config") or {})}
    if is_compound(own):
        return {**_with_fixed_parts(own, width - 2 * MARGIN), "padding": _by_side(own.get("padding"), MARGIN)}
    wanted = own.get("width", CONTAINER)
    sizes = {"width": width if wanted == CONTAINER else _grown(wanted), "height": _grown(own.get("height"))}
    kept = {name: size for name, size in sizes.items() if size is not None}
    return {"autosize": FIT, **own, **kept, "padding": _by_side(own.get("padding"), MARGIN)}


def responsive(spec: Mapping[str, Any]) -> Spec:
    """A spec that follows the width of its place on a page; a compound one has a width of its own, and may scroll."""
    if is_compound(spec):
        return _with_fixed_parts(spec, PART_WIDTH)
    return {"autosize": FIT, "width": CONTAINER, **spec, "padding": _by_side(spec.get("padding"), at_least=EDGE)}


def has_own_width(spec: Mapping[str, Any]) -> bool:
    """Whether a chart keeps its width, which its place may lack."""
    return spec.get("width") != CONTAINER


def is_compound(spec: Mapping[str, Any]) -> bool:
    """Whether a spec has several charts in one: Vega-Lite cannot fit these into a width."""
    channels = spec.get("encoding", {})
    return any(name in spec for name in COMPOUND) or any(name in channels for name in ("facet", "row", "column"))


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Spec:
    """Two nested mappings as one; where both say something, `over` wins."""
    both = {
        name: _merged(under[name], over[name])
        for name in under.keys() & over.keys()
        if isinstance(under[name], Mapping) and isinstance(over[name], Mapping)
    }
    return {**under, **over, **both}


def _by_side(padding: Any, margin: int = 0, at_least: int = 0) -> Spec:
    """A padding in pixels, which may be given for all sides or by side, by side and with a margin added."""
    given = padding if isinstance(padding, Mapping) else dict.fromkeys(SIDES, padding or 0)
    return {side: max(at_least, given.get(side, 0) + margin) for side in SIDES}


def _grown(size: Any) -> Any:
    """A size in pixels with the margins on both sides, which are counted into it; one by steps stays as it is."""
    return size + 2 * MARGIN if isinstance(size, (int, float)) else size


def _with_fixed_parts(spec: Mapping[str, Any], width: int) -> Spec:
    """A compound chart in which every part that is as wide as its place has a width in pixels."""
    fixed = {name: value for name, value in spec.items() if (name, value) != ("width", CONTAINER)}
    if not is_compound(spec):
        return {**fixed, "width": width} if len(fixed) < len(spec) else fixed
    for name in ("spec", "concat", "hconcat", "vconcat"):
        if isinstance(fixed.get(name), list):
            share = width // len(fixed[name]) if name == "hconcat" else width
            fixed[name] = [_with_fixed_parts(part, share) for part in fixed[name]]
        elif name in fixed:
            fixed[name] = _with_fixed_parts(fixed[name], width)
    return fixed
