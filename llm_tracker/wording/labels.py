"""What roles, turns and groups are called: each label stands here once, with what it is for."""

from __future__ import annotations

from llm_tracker.analysis.compare import Side, SideName
from llm_tracker.languages.texts import later, say

TURN_LABELS: dict[str, str] = {
    "before": later("before"),
    "after": later("after"),
    "again": later("asked again"),
}
"""Each turn in charts, legends, captions and, with a capital, on the answers' cards."""

TURN_CLAUSES: dict[SideName, str] = {
    "before": later("before"),
    "after": later("after"),
    "again": later("merely asked again"),
}
"""Each turn where a sentence begins to speak of it."""

GROUP_LABELS = {
    "parked": later("parked on the start and the template"),
    "recipe": later("worked examples"),
    "system": later("system line"),
    "user": later("your words"),
    "assistant": later("its earlier answers"),
    "thought": later("its thought"),
    "answer": later("this answer so far"),
}
"""Where attention went, in the bar's legend and in the table: the groups of `analysis.attention`."""

PLAIN_GROUP_LABELS = {"parked": GROUP_LABELS["parked"], "recipe": later("the recipe's worked examples")}
"""The groups that have a row of their own on the command line, where nothing else says what the examples belong to."""

ROLE_LABELS = {
    "template": later("the template's marks"),
    **{role: GROUP_LABELS[role] for role in ("recipe", "system", "user", "assistant", "thought")},
}
"""Whose a token of the prompt is, where the text that the model read is shown."""

SPEAKERS = {
    "system": GROUP_LABELS["system"],
    "user": later("you"),
    "assistant": later("the model, earlier"),
    "thought": GROUP_LABELS["thought"],
    "answer": GROUP_LABELS["answer"],
}
"""Who speaks, in front of each line of the text that is shaded by attention."""


def side_clause(side: Side) -> str:
    """How a sentence begins to speak of a side: by its turn, or by its model where two are compared."""
    return say("in {model}", model=side.model) if side.model else say(TURN_CLAUSES[side.name])


def told_of(side: Side, told: str) -> str:
    """What is told of one of several sides, behind its turn or its model."""
    return say("{side}, {told}", side=side_clause(side), told=told)


def side_label(side: Side) -> str:
    """A side in a label: “before”, or “before: SmolLM2-135M-Instruct” where two models are compared."""
    label = say(TURN_LABELS[side.name])
    return f"{label}: {side.model}" if side.model else label
