"""The store keeps sessions exactly, finds them again, and never one owner's for another."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

import llm_tracker as lt
from llm_tracker.storage.store import contents, saving, summaries
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.summaries import Unanswered
from llm_tracker.storage.store.tables import parts, sessions, visits
from llm_tracker.storage.store.visits import note_visit, visit

Same = Callable[[lt.Session, lt.Session], bool]
Said = Callable[..., lt.Session]

ASKED = Unanswered("ask", "Why?", "m", "chat")


def test_a_session_comes_back_to_the_last_bit(store: lt.Store, conversation: lt.Session, same: Same) -> None:
    kept = store.load(store.save(conversation))
    assert same(kept, conversation)
    assert kept.turns[1].prompt == conversation.turns[1].prompt


def test_a_session_comes_back_with_the_lenses_that_were_read(
    store: lt.Store, conversation: lt.Session, same: Same
) -> None:
    """The app reads the layers of a token when somebody looks at it: the others are missing, and stay so."""
    one_step = conversation.with_traces(lambda turn: replace(turn.trace, lens={1: turn.trace.lens[1]}))
    kept = store.load(store.save(one_step))
    assert same(kept, one_step)
    assert [sorted(turn.trace.lens) for turn in kept.turns] == [[1], [1]]


def test_what_is_deleted_can_be_brought_back(store: lt.Store, question: lt.Session) -> None:
    kept, gone = store.save(question), store.save(question)
    assert store.delete(gone) == 1
    assert [each.id for each in store.list()] == [kept]
    assert [each.id for each in store.list(deleted=True)] == [gone]
    assert not store.has_turn(gone, 0)
    with pytest.raises(lt.InputError, match="was deleted"):
        store.load(gone)
    assert store.restore(gone) == 1
    assert store.load(gone).turns


def test_a_deleted_session_that_goes_on_is_there_again(
    store: lt.Store, question: lt.Session, conversation: lt.Session
) -> None:
    kept = store.save(question)
    store.delete(kept)
    assert store.save(conversation, kept, question) == kept
    assert store.list()[0].id == kept


def test_pruning_takes_what_is_old_or_too_much_and_leaves_stars(store: lt.Store, question: lt.Session) -> None:
    starred, *others = (store.save(question) for _ in range(4))
    store.describe(starred, starred=True)
    with store.database.writing() as connection:
        connection.execute(update(sessions).where(sessions.c.id.in_([starred, others[0]])).values(changed_at=1.0))
    would = store.prune(older_than_days=30, dry_run=True)
    assert [each.id for each in would.sessions] == [others[0]]
    assert len(store.list()) == 4
    assert store.prune(older_than_days=30) == would
    assert [each.id for each in store.list()] == [others[2], others[1], starred]
    size = store.list()[0].n_bytes
    assert [each.id for each in store.prune(to_bytes=2 * size).sessions] == [others[1]]
    assert [each.id for each in store.prune(to_bytes=0).sessions] == [others[2]]
    assert [each.id for each in store.prune(to_bytes=0, keep_starred=False).sessions] == [starred]
    with store.database.reading() as connection:
        assert connection.execute(select(parts.c.name)).all() == []


def test_pruning_removes_what_was_deleted_and_refuses_nonsense(store: lt.Store, question: lt.Session) -> None:
    store.delete(store.save(question))
    starred = store.save(question)
    store.describe(starred, starred=True)
    store.delete(starred)
    assert [each.id for each in store.prune().sessions] == [1]
    assert store.restore(1) == 0
    assert store.restore(starred) == 1, "those with a star stay, deleted or not"
    with pytest.raises(lt.InputError, match="below 0"):
        store.prune(older_than_days=-1)


def test_pruning_by_age_takes_unanswered_questions_and_choices_too(store: lt.Store, question: lt.Session) -> None:
    own = store.for_owner("a")
    own.save(question)
    left = own.begin(Unanswered("ask", "Why?", "m", "chat"))
    note_visit(store.database, "a", "key", {"recipe": "chat"})
    assert store.owners() == ["a"]
    own.prune(older_than_days=1)
    assert visit(store.database, "a", "key") is not None
    with store.database.writing() as connection:
        connection.execute(update(sessions).where(sessions.c.id == left).values(changed_at=1.0))
        connection.execute(update(visits).values(changed_at=1.0))
    own.prune(older_than_days=1)
    assert visit(store.database, "a", "key") is None
    with pytest.raises(lt.InputError, match="no session"):
        own.summary(left)
    assert len(own.list()) == 1


def test_a_number_that_no_session_has_is_refused_however_large(store: lt.Store) -> None:
    for number in (0, -1, 2**31, 2**63):
        with pytest.raises(lt.InputError, match="no session"):
            store.load(number)
        assert store.delete(number) == 0
        assert not store.has_turn(number, 0)


def test_an_owner_sees_and_changes_nothing_of_another_one(store: lt.Store, question: lt.Session) -> None:
    mine, theirs = store.for_owner("a"), store.for_owner("b")
    kept = mine.save(question)
    assert theirs.list() == theirs.list("What") == theirs.tags() == []
    assert (theirs.models(), theirs.count(Query()), theirs.titles([kept])) == ({}, (0, 0), {})
    assert (theirs.delete(kept), theirs.has_turn(kept, 0)) == (0, False)
    for act in (theirs.load, theirs.summary, lambda number: theirs.describe(number, name="x")):
        with pytest.raises(lt.InputError, match="no session"):
            act(kept)
    assert theirs.save(question, kept) != kept
    theirs.prune(to_bytes=0, keep_starred=False)
    theirs.give_up(kept)
    assert mine.load(kept).turns


def test_only_what_has_changed_is_written_again(
    store: lt.Store, question: lt.Session, conversation: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store.save(question)
    written: list[str] = []
    made = saving.turn_part

    def noted(name: str, *rest: object) -> contents.Part:
        written.append(name)
        return made(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(saving, "turn_part", noted)
    without_control = replace(conversation, controls={})
    assert store.save(without_control, kept, question) == kept
    assert store.save(conversation, kept, without_control) == kept
    assert written == ["turn-1", "control-1"]


def test_two_that_go_on_with_one_session_in_different_ways_are_both_kept(
    store: lt.Store, question: lt.Session, conversation: lt.Session, said: Said, same: Same
) -> None:
    kept = store.save(question)
    assert store.save(conversation, kept, question) == kept
    other = said(conversation, "What is 東京 🍎?", "No, Rome.")
    branch = store.save(other, kept, question)
    assert branch != kept
    assert same(store.load(kept), conversation)
    assert same(store.load(branch), other)
    assert store.summary(branch).parent_id == kept


def test_a_reader_who_knows_less_of_a_session_takes_nothing_from_it(
    store: lt.Store, question: lt.Session, conversation: lt.Session
) -> None:
    """One process has the first turn only, and saves what it read of it; another one has gone on meanwhile."""
    kept = store.save(conversation)
    read_more = replace(question, watch_words=("zebra",))
    assert store.save(read_more, kept) == kept
    assert len(store.load(kept).turns) == 2
    assert store.summary(kept).n_turns == 2


def test_large_arrays_are_files_of_their_own_and_go_with_their_session(
    tmp_path: Path, conversation: lt.Session, same: Same, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MAX_ROW_BYTES", 100)
    store = lt.open_store(tmp_path / "s.sqlite")
    kept = store.save(conversation)
    folder = tmp_path / "s-arrays"
    assert len(list(folder.iterdir())) == 3
    assert same(store.load(kept), conversation)
    store.save(conversation, kept)  # all anew, in place of the old ones
    assert len(list(folder.iterdir())) == 3
    store.prune(to_bytes=0, keep_starred=False)
    assert list(folder.iterdir()) == []


def test_a_server_keeps_large_arrays_in_the_database(
    postgres: object, conversation: lt.Session, same: Same, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MAX_ROW_BYTES", 100)
    store = lt.open_store(postgres.new_database())  # type: ignore[attr-defined]
    assert same(store.load(store.save(conversation)), conversation)
    store.database.close()


def test_a_session_with_a_damaged_part_is_refused_and_all_others_open(
    store: lt.Store, conversation: lt.Session, question: lt.Session
) -> None:
    kept, damaged = store.save(question), store.save(conversation)
    of_one = (parts.c.session_id == damaged) & (parts.c.name == "turn-1")
    with store.database.writing() as connection:
        content = connection.execute(select(parts.c.arrays).where(of_one)).scalar_one()
        turned = bytes([content[0] ^ 1, *content[1:]])
        connection.execute(update(parts).where(of_one).values(arrays=turned))
    with pytest.raises(lt.StoreError, match="damaged"):
        store.load(damaged)
    assert store.load(kept).turns


def test_a_question_is_noted_before_it_is_answered_and_offered_when_its_process_has_ended(
    store: lt.Store, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store.begin(ASKED)
    assert store.list() == []
    assert store.cut_off() == []  # this process is answering it
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    process = f"{summaries.this_process().rpartition('/')[0]}/{ended.stdout.strip()}:1.0"
    with store.database.writing() as connection:
        left = json.dumps({**ASKED.__dict__, "process": process, "asked_at": 1.0})
        connection.execute(update(sessions).where(sessions.c.id == kept).values(unanswered=left))
    (found,) = store.cut_off()
    assert found.unanswered is not None
    assert (found.id, found.unanswered.said) == (kept, "Why?")
    assert store.save(question, kept) == kept
    assert store.cut_off() == []
    assert store.list()[0].unanswered is None


def test_a_question_on_another_machine_counts_as_being_answered_for_a_while() -> None:
    elsewhere = replace(ASKED, process="another-machine/1:1.0", asked_at=time.time())
    assert not elsewhere.is_cut_off
    assert replace(elsewhere, asked_at=time.time() - 1000).is_cut_off
    assert replace(elsewhere, asked_at=time.time() + 1000).is_cut_off  # a clock was set back


def test_a_question_that_is_given_up_leaves_nothing_and_an_answer_stays(store: lt.Store, question: lt.Session) -> None:
    store.give_up(store.begin(ASKED))
    kept = store.save(question)
    store.begin(replace(ASKED, form="correct"), kept)
    store.give_up(kept)
    assert store.load(kept).turns
    with store.database.reading() as connection:
        assert connection.execute(select(sessions.c.id)).scalars().all() == [kept]


def test_nothing_is_kept_of_a_session_without_an_answer(store: lt.Store, question: lt.Session) -> None:
    with pytest.raises(lt.InputError, match="without an answer"):
        store.save(replace(question, turns=()))


def test_texts_that_no_database_can_hold_are_kept_as_far_as_they_can_be(store: lt.Store, question: lt.Session) -> None:
    odd = "NUL \0, half a pair \ud800"
    session = replace(question, turns=(replace(question.turns[0], said=odd, answer=odd),))
    kept = store.save(session)
    assert store.load(kept).turns[0].said == odd
    assert store.summary(kept).said == (odd,)
    store.describe(kept, name=odd, note=odd, tags=[odd])
    assert "\0" not in store.summary(kept).name
    with pytest.raises(lt.InputError, match="too long"):
        store.describe(kept, note="x" * 10_001)


def test_the_store_needs_neither_torch_nor_transformers(tmp_path: Path, conversation: lt.Session) -> None:
    kept = lt.open_store(tmp_path / "s.sqlite").save(conversation)
    code = (
        "import sys, llm_tracker as lt; store = lt.open_store(sys.argv[1]); store.list(); store.load(int(sys.argv[2]));"
        "print([name for name in ('torch', 'transformers', 'streamlit', 'alembic') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.sqlite"), str(kept)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
