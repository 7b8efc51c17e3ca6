"""`llm-tracker sessions`: what is kept is listed, shown, described, handed over, deleted and brought back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.cli.plain_text import session_text

Say = Callable[..., str]


@pytest.fixture
def store(store_url: str) -> Any:
    opened = lt.open_store(store_url)
    yield opened
    opened.database.close()


@pytest.fixture
def say(store_url: str, capsys: pytest.CaptureFixture[str]) -> Say:
    """What `llm-tracker sessions …` prints on the store of this test, and that it succeeds."""

    def say(*words: str, status: int = 0) -> str:
        assert main(["sessions", *words, "--store", store_url]) == status
        said = capsys.readouterr()
        return said.err if status else said.out

    return say


def test_a_list_shows_what_was_asked_answered_and_when(store: lt.Store, say: Say, saved: lt.Session) -> None:
    assert say().startswith("No conversations. The app keeps each one")
    store.save(saved)
    listed = say("list")
    assert "Is Paris the capital?" in listed
    assert say() == listed
    (found,) = json.loads(say("list", "--json"))
    assert (found["id"], found["n_turns"], found["said"][0]) == (1, 2, "Is Paris the capital?")
    assert [len(json.loads(say("list", "--json", "--search", word))) for word in ("paris", "zzz")] == [1, 0]
    assert json.loads(say("list", "--json", "--model", "another")) == []


def test_show_has_the_views_or_the_record(store: lt.Store, say: Say, saved: lt.Session) -> None:
    store.save(saved)
    assert say("show", "1").endswith(f"{session_text(store.load(1))}\n")
    assert [turn["said"] for turn in json.loads(say("show", "1", "--json"))["turns"]] == [t.said for t in saved.turns]
    assert "There is no session 99999999999" in say("show", "99999999999", status=2)


def test_describe_changes_what_is_named_and_leaves_the_rest(store: lt.Store, say: Say, saved: lt.Session) -> None:
    store.save(saved)
    say("describe", "1", "--name", "Capitals", "--tag", "a", "--tag", "b", "--star")
    described = json.loads(say("describe", "1", "--note", "For Monday", "--json"))
    assert (described["name"], described["tags"], described["note"]) == ("Capitals", ["a", "b"], "For Monday")
    assert described["starred"]
    say("describe", "1", "--no-star")
    assert json.loads(say("list", "--starred", "--json")) == []
    assert len(json.loads(say("list", "--tag", "a", "--json"))) == 1


def test_what_is_exported_is_imported_again_with_its_description(
    store: lt.Store, say: Say, saved: lt.Session, tmp_path: Path
) -> None:
    store.save(saved)
    store.describe(1, name="Capitals", starred=True)
    archive = tmp_path / "all.zip"
    assert "1 exported" in say("export", "1", str(archive))
    imported = json.loads(say("import", str(archive), "--json"))
    assert imported == {"ids": [2], "refused": {}}
    assert (store.summary(2).name, store.summary(2).starred) == ("Capitals", True)
    assert [turn.answer for turn in store.load(2).turns] == [turn.answer for turn in saved.turns]


def test_an_export_that_fails_leaves_the_file_that_was_there(
    store: lt.Store, say: Say, saved: lt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(saved)
    archive = tmp_path / "all.zip"
    archive.write_bytes(b"the earlier one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "could not be written: No space left on device" in say("export", "1", str(archive), status=2)
    assert archive.read_bytes() == b"the earlier one"
    assert list(tmp_path.glob("*.part")) == []


def test_what_is_no_export_is_refused_by_name(say: Say, tmp_path: Path) -> None:
    other = tmp_path / "notes.zip"
    other.write_bytes(b"hello")
    assert "no zip file that can be read" in say("import", str(other), status=2)


def test_what_was_deleted_is_brought_back_until_it_is_pruned(store: lt.Store, say: Say, saved: lt.Session) -> None:
    store.save(saved)
    assert "llm-tracker sessions restore 1" in say("delete", "1")
    assert len(json.loads(say("list", "--deleted", "--json"))) == 1
    say("restore", "1")
    say("delete", "1")
    would = json.loads(say("prune", "--dry-run", "--json"))
    assert (would["removed"], would["dry_run"]) == ([1], True)
    say("prune")
    assert "none of them was there" in say("restore", "1", status=2)


def test_prune_takes_the_oldest_and_of_a_shared_host_those_of_all_visitors(
    store: lt.Store, say: Say, saved: lt.Session
) -> None:
    visitor = store.for_owner("link x")
    for owner in (store, visitor):
        owner.save(saved)
        owner.describe(owner.save(saved), starred=True)
    assert json.loads(say("prune", "--to-size", "0", "--keep-starred", "--json"))["removed"] == [1]
    each = str(1.5 * store.summary(2).n_bytes / 10**6)
    assert json.loads(say("prune", "--to-size", each, "--all-visitors", "--dry-run", "--json"))["removed"] == [3]
    assert len(visitor.list()) == 2
    assert json.loads(say("prune", "--to-size", "0", "--all-visitors", "--json"))["removed"] == [2, 3, 4]
    assert visitor.list() == store.list() == []


def test_track_keeps_what_it_made_and_says_under_which_number(
    loads: object, store: lt.Store, store_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_TRACKER_STORE", store_url)
    assert main(["track", "Who?", "--model", "tiny", "--max-new-tokens", "2", "--save"]) == 0
    assert "llm-tracker: kept as 1 in " in capsys.readouterr().err
    assert store.load(1).turns[0].said == "Who?"
