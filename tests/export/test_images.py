"""Charts as pictures, made without a browser: nothing is cut off, all words can be read, nothing is fetched."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest
from PIL import Image, ImageColor

from llm_tracker.charts.candidates import candidates_chart
from llm_tracker.export.images import png, svg
from llm_tracker.export.theme import LOOKS, MARGIN, Scheme, spec_of
from llm_tracker.wording.formats import shown

NAMES = ["candidates", "one", "lead", "prob", "rank", "attention", "map"]
LABELS = {
    "candidates": {"Before", "After", "1. Paris", "1. London", "95 %", "everything else", "27.3"},
    "one": {"Before", "1. Paris", "100 %"},
    "lead": {"before", "after", "asked again", "lead of Paris over London (logits)", "layer (depth, not time)", "30"},
    "prob": {"before", "after", "asked again", "probability of Paris", "100\N{NO-BREAK SPACE}%"},
    "rank": {"before", "after", "asked again", "rank of Paris (1 = best)", "1,000"},
    "attention": {"before", "after", "asked again", "share of the attention", "100\N{NO-BREAK SPACE}%"},
    "map": {"<|im_start|>", "↵", "·capital", "東京", "🍎", "a very long t…", "probability of the next token", "layer"},
}


def decoded(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture)).convert("RGB")


def has_near(image: Image.Image, colour: str) -> bool:
    """Whether some pixel has a colour, but for the last steps of its shades."""
    wanted = ImageColor.getrgb(colour)
    colours = image.getcolors(image.width * image.height) or []
    return any(max(abs(a - b) for a, b in zip(wanted, own, strict=True)) <= 12 for _, own in colours)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_png_has_the_pages_colours_and_nothing_touches_its_edges(
    chart: Callable[[str], Any], name: str, scheme: Scheme
) -> None:
    image, look = decoded(png(chart(name), scheme)), LOOKS[scheme]
    assert image.width == 2 * 760
    assert image.height == 2 * (spec_of(chart(name))["height"] + 2 * MARGIN)
    background = ImageColor.getrgb(look.background)
    inside = (10, 10, image.width - 10, image.height - 10)
    frame = image.copy()
    frame.paste(background, inside)
    assert frame.getcolors() == [(image.width * image.height, background)], "something reaches into the margin"
    assert len(image.getcolors(image.width * image.height) or []) > 60
    assert has_near(image, look.text), "words without a colour of their own have that of the page's"


@pytest.mark.parametrize("name", NAMES)
def test_an_svg_is_xml_and_holds_what_the_chart_says_as_text(chart: Callable[[str], Any], name: str) -> None:
    root = ElementTree.fromstring(svg(chart(name), "dark", width=700))
    assert root.attrib["width"] == "700"
    said = {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert said >= LABELS[name]


def test_a_legend_of_strengths_can_be_seen_on_a_dark_picture() -> None:
    frame = pd.DataFrame({"x": [1, 2], "sign": ["a", "b"], "size": [0.1, 1.0]})
    chart = alt.Chart(frame).mark_rect().encode(x="x:O", color=alt.Color("sign:N", legend=None), opacity="size:Q")
    image = decoded(png(chart, "dark"))
    assert min(sum(own) for _, own in image.getcolors(image.width * image.height) or []) >= sum(
        ImageColor.getrgb(LOOKS["dark"].background)
    )


def test_size_and_scale_are_as_asked_for(chart: Callable[[str], Any]) -> None:
    assert decoded(png(chart("one"), "light", width=400, scale=1)).width == 400


def test_a_spec_gives_the_same_picture_as_its_chart(chart: Callable[[str], Any]) -> None:
    assert svg(spec_of(chart("one")), "light") == svg(chart("one"), "light")


@pytest.mark.parametrize(
    "text", ["</svg><script>alert(1)</script>", "&amp; \"'", "a\u202eb\x07\x1b", "שלום", "datum.x"]
)
def test_any_token_stands_in_a_picture_as_text(text: str) -> None:
    frame = pd.DataFrame({"rank": [1], "token_id": [7], "token": [text], "logit": [1.0], "prob": [1.0]})
    root = ElementTree.fromstring(svg(candidates_chart({"before": frame}), "light"))
    said = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert f"1. {shown(text)}" in said
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_a_chart_whose_numbers_are_elsewhere_is_refused() -> None:
    spec = {"data": {"url": "https://example.org/x.csv"}, "mark": "point", "encoding": {"x": {"field": "a"}}}
    with pytest.raises(ValueError, match="not allowed"):
        png(spec, "light")


def test_the_room_opens_without_what_draws_and_what_computes() -> None:
    rooms = (
        "llm_tracker.export.archive, llm_tracker.export.images, llm_tracker.export.report, llm_tracker.export.tables"
    )
    heavy = "('vl_convert', 'torch', 'transformers', 'streamlit')"
    code = f"import sys, {rooms}; print([each for each in {heavy} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
