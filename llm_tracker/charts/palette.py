"""One colour for each meaning, the same in every chart and panel, for light and dark pages alike.

Blue and orange stay apart for every kind of colour vision; tests/charts/test_palette.py simulates three.
"""

BEFORE = "#3a7cc7"
AFTER = "#cf6a1d"
AGAIN = "#7f8a97"
PARKED = "#9aa3ad"
RECIPE = "#c9ced5"
SYSTEM = "#6f86b3"
USER = "#5f9e7c"
ASSISTANT = "#a57bb5"
THOUGHT = "#6aa9b8"
ANSWER = "#b99a3f"
GRID = "#808a9640"
QUIET = "#7f8a97"
"""Grid lines and small print, readable on white and on the dark page."""

LINE_COLOURS = ("#b0468c", "#2f8f83", "#8a6d1f", "#6a5acd", "#c0504d", "#4b8b3b", "#997a8d", "#5b7f95")
"""Lines of several words in one chart, where no line is a turn's: none is the colour of a turn."""

TURN_COLOURS = {"before": BEFORE, "after": AFTER, "again": AGAIN}
GROUP_COLOURS = {
    "parked": PARKED,
    "recipe": RECIPE,
    "system": SYSTEM,
    "user": USER,
    "assistant": ASSISTANT,
    "thought": THOUGHT,
    "answer": ANSWER,
}
