"""Roles, turns and groups are called one thing each, and every one that can be drawn has its name."""

from __future__ import annotations

from typing import get_args

import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import Side, SideName
from llm_tracker.charts.palette import GROUP_COLOURS, TURN_COLOURS
from llm_tracker.prompts.words import Role
from llm_tracker.wording.labels import (
    GROUP_LABELS,
    ROLE_LABELS,
    SPEAKERS,
    TURN_CLAUSES,
    TURN_LABELS,
    side_clause,
    side_label,
)


def test_every_turn_has_its_colour_its_label_and_its_clause() -> None:
    assert set(get_args(SideName)) == set(TURN_LABELS) == set(TURN_CLAUSES) == set(TURN_COLOURS)


def test_every_group_has_its_colour_and_its_label() -> None:
    assert list(GROUP_LABELS) == list(GROUP_COLOURS)


def test_every_role_is_named_where_text_is_shown() -> None:
    roles = set(get_args(Role))
    assert set(ROLE_LABELS) == roles - {"answer"}, "what the model read has no answer in it"
    assert set(SPEAKERS) == roles - {"template", "recipe"}, "these two are no speakers"


@pytest.mark.parametrize(
    ("name", "clause", "label"),
    [
        ("before", "before", "before"),
        ("after", "after", "after"),
        ("again", "merely asked again", "asked again"),
    ],
)
def test_a_side_is_named_by_its_turn_and_between_two_models_by_its_model(
    session: lt.Session, name: SideName, clause: str, label: str
) -> None:
    side = Side(name, session.turns[0])
    assert (side_clause(side), side_label(side)) == (clause, label)
    of_model = Side(name, session.turns[0], model="Small")
    assert (side_clause(of_model), side_label(of_model)) == ("in Small", f"{label}: Small")
