"""A chart as a picture: PNG or SVG, in the colours of the page, made here without a browser and without a network."""

from __future__ import annotations

import textwrap
from typing import Any

from llm_tracker.export.theme import Scheme, Spec, spec_of, themed
from llm_tracker.figures.figure import Figure

WIDTH = 760
"""Pixels of a picture, unless another width is given: about what a chart has on the page."""

SENTENCE_CHARS = 112
"""Characters of a line of a sentence, in a picture of that width."""

TITLE_PIXELS, LINE_PIXELS = 34, 15


def captioned(figure: Figure) -> Spec:
    """A figure's chart with its title and its sentence above it, as a picture needs them that leaves its page."""
    spec, lines = spec_of(figure.chart), textwrap.wrap(figure.sentence, SENTENCE_CHARS)
    title = {"text": figure.title, "subtitle": lines, "subtitlePadding": 6, "subtitleFontSize": 12, "offset": 14}
    height = spec.get("height")
    room = TITLE_PIXELS + LINE_PIXELS * len(lines)
    grown = {"height": height + room} if isinstance(height, (int, float)) else {}
    return {**spec, **grown, "title": title}


def png(chart: Any, scheme: Scheme, width: int = WIDTH, scale: float = 2.0) -> bytes:
    """A chart (of Altair, or a Vega-Lite spec) as a PNG of `width` times `scale` pixels.

    Its fonts are this machine's. Raises ValueError for a spec that cannot be drawn, or that asks for data elsewhere.
    """
    import vl_convert

    return vl_convert.vegalite_to_png(themed(spec_of(chart), scheme, width), scale=scale, allowed_base_urls=NOWHERE)


def svg(chart: Any, scheme: Scheme, width: int = WIDTH) -> str:
    """A chart (of Altair, or a Vega-Lite spec) as an SVG, `width` pixels wide, its texts as text.

    Raises ValueError for a spec that cannot be drawn, or that asks for data elsewhere.
    """
    import vl_convert

    return vl_convert.vegalite_to_svg(themed(spec_of(chart), scheme, width), allowed_base_urls=NOWHERE)


NOWHERE: list[str] = []
"""Where a chart may fetch data from."""
