"""What roles, turns and groups are called: each label stands here once, with what it is for."""

from __future__ import annotations

from llm_tracker.analysis.compare import Side, SideName

TURN_LABELS: dict[str, str] = {"before": "before", "after": "after", "again": "asked again"}
"""Each turn in charts, legends, captions and, with a capital, on the answers' cards."""

TURN_CLAUSES: dict[SideName, str] = {"before": "before", "after": "after", "again": "merely asked again"}
"""Each turn where a sentence begins to speak of it."""

GROUP_LABELS = {
    "parked": "parked on the start and the template",
    "recipe": "worked examples",
    "system": "system line",
    "user": "your words",
    "assistant": "its earlier answers",
    "thought": "its thought",
    "answer": "this answer so far",
}
"""Where attention went, in the bar's legend and in the table: the groups of `analysis.attention`."""

PLAIN_GROUP_LABELS = {"parked": GROUP_LABELS["parked"], "recipe": "the recipe's worked examples"}
"""The groups that have a row of their own on the command line, where nothing else says what the examples belong to."""

ROLE_LABELS = {
    "template": "the template's marks",
    **{role: GROUP_LABELS[role] for role in ("recipe", "system", "user", "assistant", "thought")},
}
"""Whose a token of the prompt is, where the text that the model read is shown."""

SPEAKERS = {
    "system": GROUP_LABELS["system"],
    "user": "you",
    "assistant": "the model, earlier",
    "thought": GROUP_LABELS["thought"],
    "answer": GROUP_LABELS["answer"],
}
"""Who speaks, in front of each line of the text that is shaded by attention."""


def side_clause(side: Side) -> str:
    """How a sentence begins to speak of a side: by its turn, or by its model where two are compared."""
    return f"in {side.model}" if side.model else TURN_CLAUSES[side.name]


def side_label(side: Side) -> str:
    """A side in a label: “before”, or “before: SmolLM2-135M-Instruct” where two models are compared."""
    return f"{TURN_LABELS[side.name]}: {side.model}" if side.model else TURN_LABELS[side.name]
