"""Colours stay apart for every kind of colour vision, and stand out on the light and the dark page."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from llm_tracker.charts.palette import AFTER, AGAIN, BEFORE, GROUP_COLOURS, TURN_COLOURS

ROOT = Path(__file__).resolve().parents[2]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
PAGES = {name: THEME[name]["backgroundColor"] for name in ("light", "dark")}

VISIONS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""Of linear RGB, at full severity (Machado, Oliveira, Fernandes 2009)."""

JUST_DIFFERENT = 20.0
"""A distance in CIELAB that nobody overlooks; 2.3 is where a difference begins to be noticed."""


def linear(colour: str) -> np.ndarray:
    """sRGB as linear light."""
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """Linear light as CIELAB, white point D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(
        light, 0, 1
    )
    ratio = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, vision: str) -> float:
    seen = [lab(VISIONS[vision] @ linear(colour)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio."""
    light = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def test_the_measures_know_black_from_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert distance("#000000", "#ffffff", "all cones") == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("vision", VISIONS)
def test_before_after_and_asked_again_stay_apart_for_every_eye(vision: str) -> None:
    for one, other in itertools.combinations(TURN_COLOURS.values(), 2):
        assert distance(one, other, vision) > JUST_DIFFERENT, (one, other)


def test_red_and_green_would_not_pass() -> None:
    assert distance("#b04a3a", "#6e7f2e", "deuteranopia") < JUST_DIFFERENT


@pytest.mark.parametrize("vision", VISIONS)
def test_neighbours_in_the_attention_bar_differ_for_every_eye(vision: str) -> None:
    """Each part of the bar is named by its place, the legend and the tooltip too; neighbours only must not merge."""
    for one, other in itertools.pairwise(GROUP_COLOURS.values()):
        assert distance(one, other, vision) > 8, (one, other)


@pytest.mark.parametrize("page", PAGES)
def test_turn_colours_stand_out_on_the_page(page: str) -> None:
    for colour in (BEFORE, AFTER, AGAIN):
        assert contrast(colour, PAGES[page]) >= 3, colour
