"""A visitor comes back after a restart, to what is theirs and to nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

import llm_tracker as lt
from llm_tracker.app.work import admission, workspaces
from llm_tracker.app.work.keeping.choices import note_choices
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspaces import Workspaces
from llm_tracker.storage.store.address import store_address
from llm_tracker.storage.store.visits import note_visit


def test_a_visitor_finds_everything_again_after_a_restart(desk: StoreDesk, conversation: lt.Session) -> None:
    before = Workspaces(desk).at(None)
    before.recipe, before.control, before.wanted_id, before.begun = "chat", False, "embedded", 1
    number = before.sessions.add(conversation)
    before.show(TurnRef(number, 0), TurnRef(number, 1))
    after = Workspaces(desk).at(before.key)
    assert after is not before
    assert (after.key, after.recipe, after.control, after.wanted_id) == (before.key, "chat", False, "embedded")
    refs, sessions = after.turns_or_newest(())
    assert refs == (TurnRef(number, 0), TurnRef(number, 1))
    assert [turn.said for turn in sessions[0].turns] == ["Who?", "No, B."]


def test_a_key_that_nobody_had_is_not_taken_over_and_one_of_another_owner_neither(desk: StoreDesk) -> None:
    several = Workspaces(desk)
    made_up = "A" * 22
    assert several.at(made_up).key != made_up
    theirs = several.at(None, lambda _key: "b")
    theirs.begun = 1
    note_choices(theirs)
    assert several.at(theirs.key, lambda _key: "a").key != theirs.key
    assert Workspaces(desk).at(theirs.key, lambda _key: "a").key != theirs.key
    assert Workspaces(desk).at(theirs.key, lambda _key: "b").key == theirs.key


def test_a_key_of_another_owner_opens_nothing_of_theirs_while_the_store_is_away(
    desk: StoreDesk, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = Workspaces(desk)
    theirs = several.at(None, lambda _key: "b")
    theirs.sessions.add(question)

    def away(*_: object) -> None:
        raise lt.StoreError("The store cannot be reached now.")

    monkeypatch.setattr(workspaces, "visit", away)
    mine = several.at(theirs.key, lambda _key: "a")
    assert mine is not theirs
    assert (mine.owner, len(mine.sessions)) == ("a", 0)
    assert several.at(theirs.key, lambda _key: "b") is theirs


def test_a_workspace_that_a_tab_shows_is_not_let_go(
    desk: StoreDesk, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "_runtime_knows", lambda tab: tab == "open")
    several = Workspaces(desk, bound=3, bound_bytes=1)
    seen, left, _ = (several.at(None) for _ in range(3))
    seen.tabs, left.tabs = {"open"}, {"closed"}
    number = seen.sessions.add(question)
    several.at(None)
    assert several.at(seen.key) is seen
    assert left not in list(several)
    assert not seen.sessions.is_in_memory(number), "what it does not show is in the store alone"
    assert seen.sessions[number].turns


def test_a_visitor_keeps_their_key_whoever_else_opened_it(desk: StoreDesk) -> None:
    theirs = Workspaces(desk).at(None, lambda _key: "b")
    theirs.begun, theirs.recipe = 1, "chat"
    note_choices(theirs)
    store = desk.store("a")
    assert store is not None
    note_visit(store.database, "a", theirs.key, {"recipe": "raw"})
    assert Workspaces(desk).at(theirs.key, lambda _key: "b").recipe == "chat"


def test_a_private_link_survives_that_the_store_is_away(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    desk = StoreDesk(store_address(str(tmp_path / "folder" / "s.sqlite")))
    assert Workspaces(desk).at("A" * 22).key == "A" * 22
    assert Workspaces(desk).at("<script>").key != "<script>"


def test_nothing_is_written_for_a_visitor_who_only_looks(desk: StoreDesk) -> None:
    workspace = Workspaces(desk).at(None)
    note_choices(workspace)
    assert Workspaces(desk).at(workspace.key).key != workspace.key
