"""Charts outside the page have the page's colours, whatever they say themselves, and a width in pixels."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

from llm_tracker.charts.palette import GRID
from llm_tracker.export.theme import LOOKS, MARGIN, Scheme, chart_config, has_own_width, responsive, spec_of, themed

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
SCHEMES: list[Scheme] = ["light", "dark"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_colours_are_those_of_the_page(scheme: Scheme) -> None:
    page, look = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][scheme], LOOKS[scheme]
    assert (look.background, look.panel, look.text, look.primary, look.border) == tuple(
        page[name]
        for name in ("backgroundColor", "secondaryBackgroundColor", "textColor", "primaryColor", "borderColor")
    )


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_stand_out_from_all_that_they_stand_on(scheme: Scheme) -> None:
    look = LOOKS[scheme]
    for words in (look.text, look.quiet, look.primary):
        for ground in (look.background, look.panel):
            darker, lighter = sorted((luminance(words), luminance(ground)))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (words, ground)


def test_what_a_chart_says_itself_wins(chart: Callable[[str], Any]) -> None:
    spec = spec_of(chart("lead"))
    config = themed({**spec, "config": {**spec["config"], "text": {"color": "#123456"}}}, "dark", 760)["config"]
    assert config["text"]["color"] == "#123456"
    assert (config["axis"]["gridColor"], config["axis"]["titleLimit"], config["axis"]["aria"]) == (GRID, 230, False)
    assert config["axis"]["labelColor"] == LOOKS["dark"].quiet
    assert config["background"] == LOOKS["dark"].background
    assert config["view"]["stroke"] is None


def test_a_picture_has_its_width_and_its_own_paddings_within_a_margin(chart: Callable[[str], Any]) -> None:
    spec = spec_of(chart("lead"))
    picture = themed(spec, "light", 500)
    assert (picture["width"], picture["height"]) == (500, spec["height"] + 2 * MARGIN)
    assert picture["padding"] == {side: MARGIN + spec["padding"][side] for side in ("left", "top", "right", "bottom")}
    assert picture["autosize"] == {"type": "fit", "contains": "padding"}
    assert spec["width"] == "container", "the spec that was given stays as it was"


def points(**size: Any) -> alt.Chart:
    return alt.Chart(pd.DataFrame({"x": [1], "y": [1]})).mark_point().encode(x="x:Q", y="y:Q").properties(**size)


def test_a_width_of_a_charts_own_is_kept() -> None:
    assert themed(spec_of(points(width=100)), "light", 760)["width"] == 100 + 2 * MARGIN
    assert themed(spec_of(points(width=alt.Step(20))), "light", 760)["width"] == {"step": 20}
    assert "height" not in themed(spec_of(points()), "light", 760)
    assert [has_own_width(responsive(spec_of(points(**size)))) for size in ({}, {"width": 100})] == [False, True]


@pytest.mark.parametrize(
    "several",
    [
        points().facet("x:N"),
        points().encode(column="x:N"),
        alt.vconcat(points(width="container"), points(width=90)),
        alt.hconcat(points(width="container"), points(width="container")),
    ],
    ids=["facet", "column", "below", "beside"],
)
def test_charts_of_several_parts_are_not_fitted_and_each_part_has_pixels(several: Any) -> None:
    for spec in (themed(spec_of(several), "dark", 760), responsive(spec_of(several))):
        assert "container" not in str(spec)
        assert "autosize" not in spec
        assert has_own_width(spec)
    parts = themed(spec_of(alt.vconcat(points(width="container"), points(width=90))), "dark", 760)["vconcat"]
    assert [part["width"] for part in parts] == [760 - 2 * MARGIN, 90]


def test_a_chart_on_a_page_follows_its_place_and_keeps_off_its_edges(chart: Callable[[str], Any]) -> None:
    spec = responsive(spec_of(chart("lead")))
    assert (spec["width"], spec["autosize"]["type"]) == ("container", "fit")
    assert spec["padding"]["bottom"] > 0, "or the descenders of the axis title are cut"
    assert "text" not in spec["config"], "the page adds the colours of its reader's scheme"
    assert chart_config("light")["text"] != chart_config("dark")["text"]
