"""A store that fails, or is away for a while: nothing is lost, and what happened is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from stored import stored

import llm_tracker as lt
from llm_tracker.app.work import workspace as workspaces
from llm_tracker.app.work.keeping import kept_sessions, store_desk
from llm_tracker.app.work.keeping.kept_sessions import FIRST_OWN, KeptSessions
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.app.work.workspaces import Workspaces
from llm_tracker.storage.store.address import store_address
from llm_tracker.storage.store.sharing import share
from llm_tracker.storage.store.summaries import Unanswered
from llm_tracker.storage.store.tables import parts

ASKED = Unanswered("ask", "Who?", "m", "chat")


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


def test_what_cannot_be_opened_for_a_moment_says_why_and_opens_later(
    sessions: KeptSessions, desk: StoreDesk, question: lt.Session, broken: Broken
) -> None:
    number = sessions.add(question)
    broken.break_it()
    another = KeptSessions(desk, "")
    assert another.get(number) is None
    assert another.trouble == "The disk is full."
    broken.mend()
    assert another[number].turns


def test_a_damaged_conversation_is_not_there_and_is_not_read_at_every_look(
    sessions: KeptSessions, desk: StoreDesk, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = sessions.add(question)
    with stored(desk).database.writing() as connection:
        connection.execute(update(parts).values(sha256="another"))
    another = KeptSessions(desk, "")
    assert another.get(number) is None
    assert "a part of it is damaged" in another.trouble
    monkeypatch.setattr(lt.Store, "load", lambda *_: pytest.fail("it was read again"))
    assert another.get(number) is None


def test_what_could_not_be_saved_is_saved_as_soon_as_a_page_finds_the_store_again(
    desk: StoreDesk, sessions: KeptSessions, question: lt.Session, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.break_it()
    sessions.add(question)
    broken.mend()
    sessions.save_again()
    assert sessions.n_unsaved == 1, "not at every page that is drawn"
    monkeypatch.setattr(kept_sessions, "RETRY_SECONDS", 0.0)
    sessions.save_again()
    assert (sessions.n_unsaved, sessions.trouble) == (0, "")
    assert len(stored(desk).list()) == 1


def test_what_is_lent_stays_on_the_screen_while_the_store_is_away(
    desk: StoreDesk, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, reader = stored(desk), KeptSessions(desk, "reader")
    token = share(store, store.save(question))
    number = reader.lend(token)
    monkeypatch.setattr(StoreDesk, "store", lambda *_: None)
    reader.look_after_lent()
    assert reader.lend(token) == number
    assert reader.lend("another") is None


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
    sessions = KeptSessions(desk, "")
    sessions.save_again()
    assert sessions.trouble == desk.trouble, "also on the tenth page"
    assert KeptSessions(desk, "").add(question) == 1


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


def test_what_is_shown_follows_what_was_saved_late_and_had_gone_on_elsewhere(
    desk: StoreDesk,
    question: lt.Session,
    conversation: lt.Session,
    broken: Broken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = Workspaces(desk).at(None)
    number = workspace.sessions.add(question)
    other = replace(conversation, turns=(question.turns[0], replace(conversation.turns[1], said="No, C.")))
    KeptSessions(desk, "").keep(number, other)
    broken.break_it()
    workspace.sessions.keep(number, conversation)
    workspace.show(TurnRef(number, 0), TurnRef(number, 1))
    broken.mend()
    monkeypatch.setattr(kept_sessions, "RETRY_SECONDS", 0.0)
    workspace.save_again()
    refs, sessions = workspace.turns_or_newest(())
    assert refs[1].session != number
    assert sessions[1] is conversation
    assert [turn.said for turn in workspace.sessions[number].turns] == ["Who?", "No, C."]


def test_memory_lets_only_go_what_can_be_opened_again(desk: StoreDesk, question: lt.Session, broken: Broken) -> None:
    nowhere, workspace = Workspace(), Workspaces(desk).at(None)
    nowhere.sessions.add(question)
    nowhere.let_go_unseen()
    assert len(nowhere.sessions) == 1
    saved = workspace.sessions.add(question)
    lent = workspace.sessions.lend(share(stored(desk), saved))
    broken.break_it()
    unsaved = workspace.sessions.add(question)
    workspace.let_go_unseen()
    assert list(workspace.sessions) == [lent, unsaved]
    broken.mend()
    assert lent is not None
    workspace.let_go([lent])
    assert workspace.sessions[lent].turns, "what is shared is opened again by its number, too"


def test_what_was_let_go_unsaved_keeps_nothing_later_from_being_saved(
    desk: StoreDesk, sessions: KeptSessions, question: lt.Session, broken: Broken
) -> None:
    broken.break_it()
    del sessions[sessions.add(question)]
    broken.mend()
    kept = sessions.add(question)
    assert [each.id for each in stored(desk).list()] == [kept]
    assert sessions.n_unsaved == 0
