"""Conversations are saved as they happen, found again after a restart, and never lost where the store fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_work import FakeEngine, ended

import llm_tracker as lt
from llm_tracker.app.work import asking
from llm_tracker.app.work import workspace as workspaces
from llm_tracker.app.work.keeping import store_desk
from llm_tracker.app.work.keeping.history import cut_off, delete
from llm_tracker.app.work.keeping.kept_sessions import FIRST_OWN, KeptSessions
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.app.work.workspaces import Workspaces
from llm_tracker.storage.store.address import store_address
from llm_tracker.storage.store.sharing import share
from llm_tracker.storage.store.summaries import Unanswered

ASKED = Unanswered("ask", "Who?", "m", "chat")


@pytest.fixture
def sessions(desk: StoreDesk) -> KeptSessions:
    return KeptSessions(desk, "")


def stored(desk: StoreDesk) -> lt.Store:
    store = desk.store("")
    assert store is not None
    return store


class Broken:
    """Makes every writing of a store fail, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._whole = {name: getattr(lt.Store, name) for name in ("save", "begin", "give_up", "load")}

    def break_it(self) -> None:
        def fail(*_: object, **__: object) -> Any:
            raise lt.StoreError("The disk is full.")

        for name in self._whole:
            self._patch.setattr(lt.Store, name, fail)

    def mend(self) -> None:
        for name, whole in self._whole.items():
            self._patch.setattr(lt.Store, name, whole)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    return Broken(monkeypatch)


def test_what_is_kept_is_in_the_store_at_once_and_opened_from_there(
    desk: StoreDesk, sessions: KeptSessions, conversation: lt.Session
) -> None:
    number = sessions.begin(ASKED)
    assert sessions.keep(number, conversation) == number
    another = KeptSessions(desk, "")
    assert len(another) == 0
    assert [turn.said for turn in another[number].turns] == ["Who?", "No, B."]
    assert number in another
    assert 999 not in another


def test_memory_may_let_a_conversation_go_that_is_in_the_store(
    sessions: KeptSessions, conversation: lt.Session
) -> None:
    number = sessions.add(conversation)
    del sessions[number]
    assert (len(sessions), len(sessions[number].turns)) == (0, 2)


def test_the_example_is_nobodys_and_never_saved(
    desk: StoreDesk, sessions: KeptSessions, conversation: lt.Session
) -> None:
    assert sessions.setdefault(EXAMPLE, conversation) is conversation
    assert stored(desk).list() == []
    assert sessions.begin(ASKED, None, EXAMPLE) > EXAMPLE


def test_what_cannot_be_saved_stays_in_memory_is_said_and_is_saved_with_the_next(
    desk: StoreDesk, sessions: KeptSessions, question: lt.Session, broken: Broken
) -> None:
    number = sessions.begin(ASKED)
    broken.break_it()
    assert sessions.keep(number, question) == number
    assert (sessions.trouble, sessions.n_unsaved) == ("The disk is full.", 1)
    assert sessions[number] is question
    broken.mend()
    other = sessions.keep(sessions.begin(ASKED), question)
    assert (sessions.trouble, sessions.n_unsaved) == ("", 0)
    assert [each.id for each in stored(desk).list()] == [other, number]


def test_a_conversation_that_began_without_the_store_is_saved_once_it_is_back(
    desk: StoreDesk, sessions: KeptSessions, question: lt.Session, conversation: lt.Session, broken: Broken
) -> None:
    broken.break_it()
    number = sessions.begin(ASKED)
    assert number >= FIRST_OWN
    sessions.keep(number, question)
    broken.mend()
    sessions.keep(number, conversation)
    (kept,) = stored(desk).list()
    assert kept.n_turns == 2
    assert sessions[number] is conversation
    sessions.keep(number, replace(conversation, watch_words=("B",)))
    assert len(stored(desk).list()) == 1


def test_a_conversation_that_went_on_elsewhere_gets_a_number_of_its_own(
    desk: StoreDesk, question: lt.Session, conversation: lt.Session
) -> None:
    mine, theirs = KeptSessions(desk, ""), KeptSessions(desk, "")
    number = mine.add(question)
    assert theirs[number].turns
    assert mine.keep(number, conversation) == number
    other = replace(conversation, turns=(question.turns[0], replace(conversation.turns[1], said="No, C.")))
    moved = theirs.keep(number, other)
    assert moved != number
    assert theirs[moved] is other
    assert theirs[number].turns[1].said == "No, B."
    assert mine[number] is conversation


def test_a_damaged_conversation_is_not_there_and_says_why(
    sessions: KeptSessions, desk: StoreDesk, question: lt.Session, broken: Broken
) -> None:
    number = sessions.add(question)
    broken.break_it()
    another = KeptSessions(desk, "")
    assert another.get(number) is None
    assert another.trouble == "The disk is full."


def test_a_store_that_is_away_is_tried_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: lt.Session
) -> None:
    (tmp_path / "folder").write_text("in the way")
    desk = StoreDesk(store_address(str(tmp_path / "folder" / "s.sqlite")))
    sessions = KeptSessions(desk, "")
    number = sessions.add(question)
    assert desk.trouble
    assert sessions.trouble == desk.trouble
    (tmp_path / "folder").unlink()
    assert desk.store("") is None  # not at every page that is drawn
    monkeypatch.setattr(store_desk, "RETRY_SECONDS", 0.0)
    sessions.keep(number, question)
    assert (desk.trouble, sessions.trouble, sessions.n_unsaved) == ("", "", 0)


def test_an_address_that_cannot_be_used_is_said_and_nothing_is_kept(question: lt.Session) -> None:
    desk = StoreDesk.of_address("mysql://host/name")
    assert not desk.is_kept
    assert "mysql" in desk.trouble
    assert KeptSessions(desk, "").add(question) == 1


def test_a_question_is_noted_until_its_answer_comes_and_forgotten_where_none_does(
    desk: StoreDesk, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, engine = Workspaces(desk).at(None), FakeEngine()
    asking.ask(engine, workspace, "Who?")
    monkeypatch.setattr(Unanswered, "is_cut_off", property(lambda _: True))
    (left,) = stored(desk).cut_off()
    assert left.unanswered is not None
    assert (left.unanswered.form, left.unanswered.said, left.unanswered.recipe) == ("ask", "Who?", "one-word")
    ended(workspace, question)
    workspace.collect()
    assert stored(desk).cut_off() == []
    asking.correct(engine, workspace, TurnRef(left.id, 0), "No, B.")
    (left,) = stored(desk).cut_off()
    assert left.unanswered is not None
    assert (left.unanswered.form, left.unanswered.of_session, left.unanswered.of_turn) == ("correct", left.id, 0)
    ended(workspace, status="failed", error="Out of memory.")
    workspace.collect()
    assert stored(desk).cut_off() == []
    assert stored(desk).list()[0].n_turns == 1


def test_what_was_left_is_not_offered_again(desk: StoreDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Unanswered, "is_cut_off", property(lambda _: True))
    stored(desk).begin(ASKED)
    workspace = Workspaces(desk).at(None)
    (left,) = cut_off(workspace)
    workspace.sessions.give_up(left.id)
    assert cut_off(workspace) == []
    assert stored(desk).cut_off() == []


def test_a_conversation_whose_model_is_not_here_is_looked_at_and_not_gone_on_with(
    desk: StoreDesk, question: lt.Session
) -> None:
    workspace, engine = Workspaces(desk).at(None), FakeEngine()
    number = workspace.sessions.add(question)
    engine.models.loaded = lambda _model_id: None
    engine.models.is_here = lambda _model_id: False
    asking.correct(engine, workspace, TurnRef(number, 0), "No, B.")
    assert workspace.job is None
    assert "its model, tiny, is not on this machine" in workspace.errors["correct"]


def test_a_deleted_conversation_leaves_the_memory_too(desk: StoreDesk, question: lt.Session) -> None:
    workspace = Workspaces(desk).at(None)
    number = workspace.sessions.add(question)
    assert delete(workspace, (number,)) == 1
    assert number not in workspace.sessions


def test_memory_lets_go_what_is_saved_before_what_is_not(
    desk: StoreDesk, question: lt.Session, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "MAX_SESSIONS", 2)
    workspace = Workspace(sessions=KeptSessions(desk, ""))
    saved = workspace.sessions.add(question)
    broken.break_it()
    unsaved = [workspace.sessions.add(question) for _ in range(2)]
    workspace.show(TurnRef(unsaved[-1], 0), None)
    assert list(workspace.sessions) == unsaved
    broken.mend()
    assert workspace.sessions[saved].turns


def test_what_was_let_go_unsaved_keeps_nothing_later_from_being_saved(
    desk: StoreDesk, sessions: KeptSessions, question: lt.Session, broken: Broken
) -> None:
    broken.break_it()
    del sessions[sessions.add(question)]
    broken.mend()
    kept = sessions.add(question)
    assert [each.id for each in stored(desk).list()] == [kept]
    assert sessions.n_unsaved == 0


def test_a_conversation_that_is_shared_again_or_was_let_go_from_memory_is_opened_again(
    desk: StoreDesk, question: lt.Session
) -> None:
    store, reader = stored(desk), KeptSessions(desk, "reader")
    token = share(store, store.save(question))
    number = reader.lend(token)
    assert number is not None
    del reader[number]
    assert reader.lend(token) == number
    assert reader[number].turns
    store.delete(1)
    assert reader.lend(token) is None
    store.restore(1)
    assert reader.lend(token) == number
    assert reader[number].turns
