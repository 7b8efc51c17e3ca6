"""Conversations are saved as they happen, found again after a restart, and never lost where the store fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_work import FakeEngine, ended
from sqlalchemy import delete as delete_rows
from stored import stored

import llm_tracker as lt
from llm_tracker.app.work import asking
from llm_tracker.app.work.keeping.history import cut_off, delete
from llm_tracker.app.work.keeping.kept_sessions import KeptSessions
from llm_tracker.app.work.keeping.most_kept import MostKept
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef
from llm_tracker.app.work.workspaces import Workspaces
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.storage.store.sharing import share
from llm_tracker.storage.store.summaries import Unanswered
from llm_tracker.storage.store.tables import parts

ASKED = Unanswered("ask", "Who?", "m", "chat")


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


def test_what_was_removed_for_good_does_not_come_back_with_what_was_being_read_of_it(
    desk: StoreDesk, question: lt.Session
) -> None:
    workspace = Workspaces(desk).at(None)
    number = workspace.sessions.add(question)
    pruned = stored(desk).prune(to_bytes=0)
    workspace.let_go(each.id for each in pruned.sessions)
    workspace.keep_fuller(number, replace(question, watch_words=("B",)))
    assert stored(desk).list() == []


def test_what_is_shown_follows_a_conversation_that_went_on_elsewhere(
    desk: StoreDesk, question: lt.Session, conversation: lt.Session
) -> None:
    workspace = Workspaces(desk).at(None)
    number = workspace.sessions.add(question)
    assert workspace.sessions.keep(number, conversation) == number
    workspace.show(TurnRef(number, 0), TurnRef(number, 1))
    other = replace(conversation, turns=(question.turns[0], replace(conversation.turns[1], said="No, C.")))
    with stored(desk).database.writing() as connection:
        connection.execute(delete_rows(parts).where(parts.c.name == "turn-1"))
    KeptSessions(desk, "").keep(number, other)
    workspace.keep_fuller(number, replace(conversation, watch_words=("B",)))
    assert workspace.shown is not None
    assert [ref and ref.session != number for ref in workspace.shown] == [True, True]
    assert workspace.sessions.moved == {}


def test_more_than_may_be_kept_goes_oldest_first_but_never_what_came_last(
    desk: StoreDesk, question: lt.Session
) -> None:
    size = stored(desk).summary(KeptSessions(desk, "").add(question)).n_bytes
    sessions = KeptSessions(desk, "", most=MostKept(10, size))
    newest = sessions.add(question)
    assert [each.id for each in stored(desk).list()] == [newest]
    stored(desk).describe(newest, starred=True)
    last = sessions.add(question)
    assert [each.id for each in stored(desk).list()] == [last, newest]


def test_a_correction_of_what_others_share_is_offered_again_without_an_answer_to_correct(
    desk: StoreDesk, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unanswered, "is_cut_off", property(lambda _: True))
    store, workspace = stored(desk), Workspaces(desk).at(None, lambda _key: "reader")
    number = workspace.sessions.lend(share(store, store.save(question)))
    assert number is not None
    asking.correct(FakeEngine(), workspace, TurnRef(number, 0), "No, B.")
    (left,) = cut_off(workspace)
    assert left.unanswered is not None
    assert (left.unanswered.said, left.unanswered.of_session) == ("No, B.", None)


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
    engine.models.entry = lambda _model_id: find_entry("tinyllama")
    asking.correct(engine, workspace, TurnRef(number, 0), "No, B.")
    assert workspace.job is None
    assert "its model is not here. TinyLlama-1.1B-Chat-v1.0 is not on this machine." in workspace.errors["correct"]


def test_a_deleted_conversation_leaves_the_memory_too(desk: StoreDesk, question: lt.Session) -> None:
    workspace = Workspaces(desk).at(None)
    number = workspace.sessions.add(question)
    assert delete(workspace, (number,)) == 1
    assert number not in workspace.sessions


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
