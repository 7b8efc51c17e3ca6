"""One colour for each meaning, the same in every chart and panel. Blue and orange stay apart for every eye."""

BEFORE = "#3a7cc7"
AFTER = "#d9772b"
PARKED = "#9aa3ad"
RECIPE = "#c9ced5"
SYSTEM = "#7d8aa0"
USER = "#7a9e87"
ASSISTANT = "#a68bb0"
ANSWER = "#c0a35e"

TURN_COLOURS = {"before": BEFORE, "after": AFTER}
GROUP_COLOURS = {
    "parked": PARKED,
    "recipe": RECIPE,
    "system": SYSTEM,
    "user": USER,
    "assistant": ASSISTANT,
    "answer": ANSWER,
}
GROUP_LABELS = {
    "parked": "parked on the start and the template",
    "recipe": "worked examples",
    "system": "system line",
    "user": "your words",
    "assistant": "its earlier answers",
    "answer": "this answer so far",
}
