"""Whatever happens to the process, the disk or the server: nothing that was saved is lost, and the rest is said."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from postgres import PostgresServer
from repeated import but_repeated
from sqlalchemy import event

import llm_tracker as lt
from llm_tracker.storage.store import contents, saving
from llm_tracker.storage.store.visits import note_visit, visit

SUPPORT = Path(__file__).resolve().parents[2] / "support"
Same = Callable[[lt.Session, lt.Session], bool]


@pytest.fixture
def folder(conversation: lt.Session, tmp_path: Path) -> Path:
    return lt.save_session(conversation, tmp_path / "session")


def killed(address: str, folder: Path, n: int) -> list[tuple[int, int]]:
    """What was reported as saved by processes that were killed: ids, and how many turns they had."""
    command = [sys.executable, str(SUPPORT / "saving_for_ever.py"), address, str(folder), str(n), "24"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(int(number), int(turns)) for number, turns in (line.split() for line in done.stdout.splitlines())]


@pytest.mark.parametrize("times", but_repeated([8, 50], lambda times: times == 50))
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_process_that_is_killed_again_and_again_loses_nothing_that_it_had_saved(
    store_url: str, folder: Path, same: Same, conversation: lt.Session, times: int
) -> None:
    reported = dict(killed(store_url, folder, times))
    assert len(reported) >= times
    store = lt.open_store(store_url)
    for number, n_turns in reported.items():
        kept = store.load(number)
        assert len(kept.turns) >= n_turns
    for each in store.list(limit=None):  # also what was saved and not reported any more: whole, or not there
        kept = store.load(each.id)
        assert len(kept.turns) == each.n_turns
        if each.n_turns == 2:
            assert same(kept, lt.load_session(folder))
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert conversation.turns


def test_a_save_that_fails_leaves_no_files_behind(
    tmp_path: Path, conversation: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MAX_ROW_BYTES", 100)
    store, sync, calls = lt.open_store(tmp_path / "s.sqlite"), os.fsync, iter(range(100))

    def full(handle: int) -> None:
        if next(calls) == 2:  # a file and its folder have been written
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(lt.StoreError, match="disk is full"):
        store.save(conversation)
    assert list((tmp_path / "s-arrays").iterdir()) == []
    assert store.load(store.save(conversation)).turns
    store.database.close()


def test_a_session_that_is_saved_while_it_is_opened_is_opened(
    tmp_path: Path, conversation: lt.Session, same: Same, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MAX_ROW_BYTES", 100)
    store, read = lt.open_store(tmp_path / "s.sqlite"), saving.read_parts
    kept, others = store.save(conversation), iter([True])

    def slowly(*asked: Any) -> dict[str, contents.Part]:
        found = read(*asked)
        if next(others, False):
            Thread(target=store.save, args=(conversation, kept)).run()
        return found

    monkeypatch.setattr(saving, "read_parts", slowly)
    assert same(store.load(kept), conversation)
    store.database.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_two_that_save_one_session_at_once_both_succeed(
    store_url: str, conversation: lt.Session, question: lt.Session
) -> None:
    store = lt.open_store(store_url)
    kept = store.save(question)

    def go_on(n: int) -> int:
        return store.save(replace(conversation, watch_words=(str(n),)), kept, question)

    def note(n: int) -> None:
        note_visit(store.database, "a", "key", {"n": n})

    with ThreadPoolExecutor(4) as several:
        assert set(several.map(go_on, range(12))) == {kept}
        list(several.map(note, range(24)))
    assert len(store.load(kept).turns) == 2
    assert visit(store.database, "a", "key") is not None
    store.database.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_killed_process_leaves_a_server_whole_too(store_url: str, folder: Path) -> None:
    reported = dict(killed(store_url, folder, 10))
    store = lt.open_store(store_url)
    assert all(len(store.load(number).turns) >= n_turns for number, n_turns in reported.items())
    assert all(len(store.load(each.id).turns) == each.n_turns for each in store.list(limit=None))
    store.database.close()


def test_a_full_disk_is_said_and_what_was_saved_stays(
    tmp_path: Path, conversation: lt.Session, question: lt.Session
) -> None:
    store = lt.open_store(tmp_path / "s.sqlite")
    kept = store.save(question)

    @event.listens_for(store.database.engine, "begin")
    def _no_room(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1")  # no less than what it has: not one page more

    with pytest.raises(lt.StoreError, match="disk is full"):
        [store.save(conversation) for _ in range(50)]
    assert store.load(kept).turns
    store.database.close()
    again = lt.open_store(tmp_path / "s.sqlite")
    assert again.load(again.save(conversation)).turns


def test_a_disk_that_is_full_for_large_arrays_leaves_no_half_of_a_session(
    tmp_path: Path, conversation: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MAX_ROW_BYTES", 100)
    store = lt.open_store(tmp_path / "s.sqlite")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(contents.os, "fsync", full)
        with pytest.raises(lt.StoreError, match="disk is full"):
            store.save(conversation)
    assert store.list() == []
    assert store.load(store.save(conversation)).turns


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user who owns nothing: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """A folder that anybody may walk into."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


def test_a_read_only_disk_is_read_and_not_written_and_says_so(open_path: Path, question: lt.Session) -> None:
    place = open_path / "disk"
    place.mkdir()
    store = lt.open_store(place / "s.sqlite")
    kept = store.save(question)
    store.database.close()
    (place / "s.sqlite").chmod(0o444)
    place.chmod(0o555)
    with as_nobody():
        frozen = lt.open_store(place / "s.sqlite")
        assert frozen.load(kept).turns
        assert [each.id for each in frozen.list("What")] == [kept]
        with pytest.raises(lt.StoreError, match="can be read, but not written"):
            frozen.save(question)
        frozen.database.close()
    place.chmod(0o755)


def test_a_folder_that_may_not_be_written_is_said(open_path: Path) -> None:
    place = open_path / "disk"
    place.mkdir()
    place.chmod(0o555)
    with as_nobody(), pytest.raises(lt.StoreError, match="read-only"):
        lt.open_store(place / "deeper" / "s.sqlite")
    place.chmod(0o755)


def test_a_corrupt_page_costs_what_is_on_it_and_is_said(
    tmp_path: Path, conversation: lt.Session, question: lt.Session
) -> None:
    file = tmp_path / "s.sqlite"
    store = lt.open_store(file)
    numbers = [store.save(each) for each in (question, conversation) * 4]
    store.database.close()
    plain = sqlite3.connect(file)
    plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page_size = plain.execute("PRAGMA page_size").fetchone()[0]
    n_pages = plain.execute("PRAGMA page_count").fetchone()[0]
    plain.close()
    whole = file.read_bytes()
    opened = 0
    for page in range(1, n_pages, max(1, n_pages // 40)):
        file.write_bytes(whole[: page * page_size] + os.urandom(page_size) + whole[(page + 1) * page_size :])
        try:
            damaged = lt.open_store(file)
        except lt.StoreError:
            continue
        for number in numbers:
            try:
                opened += len(damaged.load(number).turns) > 0
            except (lt.StoreError, lt.InputError) as error:
                said = str(error)
                assert "damaged" in said or "no session" in said or "failed" in said
        damaged.database.close()
    assert opened > 100  # of about 300: most of what is in a file is not on one page


def test_a_server_that_is_restarted_in_mid_use_is_found_again(question: lt.Session) -> None:
    with PostgresServer() as server:
        store = lt.open_store(server.new_database())
        kept = store.save(question)
        server.stop()
        for act in (store.list, lambda: store.save(question), lambda: store.load(kept)):
            with pytest.raises(lt.StoreError, match="cannot be reached now"):
                act()
        server.start()
        assert store.load(kept).turns
        assert len({kept, store.save(question)}) == 2
        store.database.close()


SAVES = """
import sys, llm_tracker as lt
store, session = lt.open_store(sys.argv[1]), lt.load_session(sys.argv[2])
print(*[store.save(session) for _ in range(25)])
"""


def test_two_processes_save_into_one_store_at_once(store_url: str, folder: Path) -> None:
    lt.open_store(store_url).database.close()
    command = [sys.executable, "-c", SAVES, store_url, str(folder)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    numbers = [int(number) for each in both for number in each.communicate(timeout=120)[0].split()]
    store = lt.open_store(store_url)
    assert sorted(numbers) == sorted(each.id for each in store.list(limit=None))
    assert len(set(numbers)) == 50
    assert all(store.load(number).turns for number in numbers[::10])
    store.database.close()


def test_two_processes_make_a_store_at_once(tmp_path: Path) -> None:
    code = "import sys, llm_tracker as lt; print(len(lt.open_store(sys.argv[1]).list()))"
    command = [sys.executable, "-c", code, str(tmp_path / "s.sqlite")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [each.communicate(timeout=120)[0].strip() for each in both] == ["0", "0", "0"]
