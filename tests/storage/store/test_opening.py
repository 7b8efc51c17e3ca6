"""A store is found by its address, made where it is missing, and brought up to date without losing anything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

import llm_tracker as lt
from llm_tracker.storage.store import migrating, tables
from llm_tracker.storage.store.address import named, store_address
from llm_tracker.storage.store.database import database_at


def test_without_an_address_it_is_the_users_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLM_TRACKER_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    store = lt.open_store()
    assert store.name == str(tmp_path / "llm-tracker" / "sessions.sqlite")
    assert Path(store.name).is_file()


def test_the_environment_moves_it_and_a_given_address_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_TRACKER_STORE", str(tmp_path / "a.sqlite"))
    assert lt.open_store().name.endswith("a.sqlite")
    assert lt.open_store(tmp_path / "b.sqlite").name.endswith("b.sqlite")
    assert lt.open_store(f"sqlite:///{tmp_path}/c.sqlite").name.endswith("c.sqlite")


def test_none_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_TRACKER_STORE", "none")
    with pytest.raises(lt.InputError, match="Nothing is kept here"):
        lt.open_store()


@pytest.mark.parametrize("address", ["mysql://me:hunter2@host/name", "postgresql://me:hunter2@host:port/x", "://"])
def test_an_address_that_cannot_be_used_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(lt.InputError, match="Give the path of a SQLite file") as refused:
        lt.open_store(address)
    assert "hunter2" not in str(refused.value)


def test_the_spelling_of_many_hosts_is_understood_and_a_password_is_never_named() -> None:
    url = store_address("postgres://me:hunter2@db.example/name")
    assert url is not None
    assert url.drivername == "postgresql+psycopg"
    assert named(url) == "PostgreSQL at db.example"


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(lt.StoreError, match=r"PostgreSQL at 127\.0\.0\.1.*cannot be reached") as failed:
        lt.open_store("postgresql://me:hunter2@127.0.0.1:9/name")
    assert "hunter2" not in str(failed.value)


def test_a_store_in_memory_works_too(question: lt.Session) -> None:
    store = lt.open_store("sqlite://")
    assert store.load(store.save(question)).turns
    assert store.name == "in memory"


def test_the_tables_are_those_that_the_migrations_make(store: lt.Store) -> None:
    with store.database.reading() as connection:
        found = inspect(connection)
        for table in tables.metadata.sorted_tables:
            made = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
            assert made == {column.name: column.nullable for column in table.columns}


def test_the_newest_step_is_the_one_that_the_store_knows() -> None:
    config = Config()
    config.set_main_option("script_location", "llm_tracker.storage.store:migrations")
    steps = ScriptDirectory.from_config(config)
    assert steps.get_heads() == [migrating.NEWEST]
    names = [step.revision for step in steps.walk_revisions()]
    assert names == sorted(names, reverse=True)  # `newer` is told by comparing names


def old_store(address: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store as an earlier version made it: with the steps up to one of them."""
    from alembic import command

    url = store_address(address)
    assert url is not None
    database = database_at(url)
    with database.writing() as connection:
        config = Config()
        config.set_main_option("script_location", "llm_tracker.storage.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, step)
    database.close()


def test_an_older_store_opens_with_all_that_is_in_it(
    store_url: str, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_store(store_url, "0001", monkeypatch)
    url = store_address(store_url)
    assert url is not None
    database = database_at(url)
    kept = lt.Store(database).save(question)
    database.close()
    store = lt.open_store(store_url)
    assert store.load(kept).turns[0].said == question.turns[0].said
    with store.database.reading() as connection:
        assert connection.execute(select(tables.visits.c.key)).all() == []
    store.database.close()


def test_of_an_older_file_a_copy_is_made_first(
    tmp_path: Path, question: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "s.sqlite"
    old_store(str(file), "0001", monkeypatch)
    lt.open_store(file)
    copy = sqlite3.connect(file.with_name(f"s.sqlite.before-{migrating.NEWEST}"))
    assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    copy.close()
    lt.open_store(file)
    assert len(list(tmp_path.glob("*.before-*"))) == 1


def test_a_newer_store_is_refused_and_left_as_it_is(store_url: str) -> None:
    store = lt.open_store(store_url)
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.database.close()
    with pytest.raises(lt.StoreError, match=r"newer version.*9999.*Nothing was changed"):
        lt.open_store(store_url)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    file.write_bytes(b"A diary, and no database at all. " * 100)
    with pytest.raises(lt.StoreError, match="damaged"):
        lt.open_store(file)
    assert file.read_bytes().startswith(b"A diary")
