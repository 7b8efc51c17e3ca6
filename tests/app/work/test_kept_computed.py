"""What views asked for is kept within a bound, the oldest goes first, and what stays is left alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from llm_tracker.app.work.keeping import computed
from llm_tracker.app.work.studying.running import STUDY
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace


def view(number: int) -> Subject:
    return Subject("map", TurnRef(1, number))


def sized(n_bytes: int) -> Any:
    return SimpleNamespace(n_bytes=n_bytes)


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "MAX_COMPUTED_BYTES", 100)
    monkeypatch.setattr(computed, "MAX_COMPUTED", 4)


def test_the_oldest_that_is_large_goes_where_all_of_it_is_too_large() -> None:
    workspace = Workspace()
    for at, n_bytes in enumerate((60, 0, 30, 50)):
        workspace.keep_computed(view(at), sized(n_bytes))
    assert list(workspace.computed) == [view(1), view(2), view(3)]
    workspace.keep_computed(view(4), sized(500))
    assert list(workspace.computed) == [view(1), view(4)], "what was asked for last is kept, however large"


def test_the_oldest_goes_where_there_are_too_many() -> None:
    workspace = Workspace()
    for at in range(6):
        workspace.keep_computed(view(at), sized(0))
    assert list(workspace.computed) == [view(2), view(3), view(4), view(5)]


def test_a_study_stays_whatever_else_is_computed_and_takes_no_room_from_it() -> None:
    workspace, study = Workspace(), sized(90)
    workspace.keep_computed(STUDY, study)
    for at in range(6):
        workspace.keep_computed(view(at), sized(30))
    assert workspace.computed[STUDY] is study
    assert [each for each in workspace.computed if each != STUDY] == [view(3), view(4), view(5)]


def test_another_study_takes_its_place() -> None:
    workspace, later = Workspace(), sized(90)
    for study in (sized(80), later):
        workspace.keep_computed(STUDY, study)
    assert workspace.computed == {STUDY: later}
