"""A chart as a picture: PNG or SVG, in the colours of the page, made here without a browser and without a network."""

from __future__ import annotations

from typing import Any

from llm_tracker.export.theme import Scheme, spec_of, themed

WIDTH = 760
"""Pixels of a picture, unless another width is given: about what a chart has on the page."""


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
