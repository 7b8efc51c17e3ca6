"""What goes wrong in the process is said in a sentence, what was saved stays, and the next question works."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import streamlit as st
from sqlalchemy import select
from visitor import Loader, asked, corrected, opened, settled, shown_html, tiny_of_any_name, until, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.storage.store import store as stores
from llm_tracker.storage.store.summaries import Unanswered, summary_of, this_process
from llm_tracker.storage.store.tables import sessions


@pytest.fixture
def engine(loader: Loader, tmp_path: Path) -> Iterator[engines.Engine]:
    """An engine with a store, and a model of its own that a test may break."""
    st.cache_resource.clear()
    desk = StoreDesk.of_address(str(tmp_path / "s.sqlite"))
    yield engines.the_engine(engines.Engine(loader, first_model_id="embedded", desk=desk))
    store = desk.store("")
    if store is not None:
        store.database.close()
    st.cache_resource.clear()


def titles(engine: engines.Engine) -> list[str]:
    store = engine.workspaces.desk.store("")
    assert store is not None
    return [each.title for each in store.list()]


def test_a_model_that_is_let_go_in_mid_use_finishes_its_answer_and_is_loaded_again(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"), "One?")
    go_on = threading.Event()
    engine.models.worker("embedded").submit(Job("ask", "embedded"), lambda _job: go_on.wait(20))
    at.text_input(key="question").set_value("Two?")
    at = at.button(key="ask button").click().run()
    engine.models.pool.unload("embedded")
    go_on.set()
    until(at, lambda: visitor(engine).job is None)
    assert titles(engine) == ["Two?", "One?"]
    asked(at, "Three?")
    assert titles(engine) == ["Three?", "Two?", "One?"]


def test_no_memory_for_a_model_is_said_and_the_next_question_works(engine: engines.Engine, loader: Loader) -> None:
    at = asked(opened("dashboard.py"), "One?")
    engine.models.pool.unload("embedded")

    def no_memory(*_: object) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99999 bytes.")

    loader.load = no_memory
    at = asked(at, "Two?")
    assert "The memory ran out" in shown_html(at)
    assert titles(engine) == ["One?"]
    loader.load = tiny_of_any_name
    asked(at, "Three?")
    assert titles(engine) == ["Three?", "One?"]


def test_an_exception_within_a_forward_pass_is_said_and_the_next_question_works(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = asked(opened("dashboard.py"), "One?")
    before = visitor(engine).sessions[1].turns[0].trace
    model = engine.models.loaded("embedded")
    assert model is not None

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a hook of somebody else")

    hook = model.layers[1].register_forward_hook(fail)
    try:
        at = corrected(at, "No, London.")
        assert "Something unexpected happened (ZeroDivisionError: a hook of somebody else)." in shown_html(at)
        at = asked(at, "Two?")
        assert "Something unexpected happened" in shown_html(at)
    finally:
        hook.remove()
    assert titles(engine) == ["One?"]
    at = asked(at, "One?")
    assert titles(engine) == ["One?", "One?"]
    newest = max(number for number in visitor(engine).sessions)
    after = visitor(engine).sessions[newest].turns[0].trace
    np.testing.assert_allclose(after.resid, before.resid, rtol=1e-4, atol=1e-4)  # no hook of ours was left behind
    assert "Something unexpected" not in shown_html(settled(at.run()))


def test_a_store_that_cannot_be_written_is_said_and_nothing_is_lost(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = asked(opened("dashboard.py"), "One?")

    def full(*_: object, **__: object) -> Any:
        raise lt.StoreError("The store could not be written: the disk is full. Make room on it.")

    with monkeypatch.context() as patch:
        for name in ("save", "begin", "give_up"):
            patch.setattr(lt.Store, name, full)
        at = asked(at, "Two?")
        page = shown_html(at)
        assert "the disk is full" in page
        assert "of yours is in memory only, and will be saved as soon as that can be done." in page
        at = corrected(at, "No, London.")
        assert at.text_input(key="question").value == "Two?"
    at = asked(at, "Three?")
    assert sorted(titles(engine)) == ["One?", "Three?", "Two?"]
    assert "the disk is full" not in shown_html(settled(at.run()))


@pytest.mark.parametrize("form", ["ask", "correct"])
def test_what_a_killed_process_was_answering_is_offered_asked_again_and_noted_anew(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch, form: Literal["ask", "correct"]
) -> None:
    at = asked(opened("dashboard.py"), "One?")
    store = engine.workspaces.desk.store("")
    assert store is not None
    with monkeypatch.context() as patch:
        patch.setattr(stores, "this_process", lambda: f"{this_process().rpartition('/')[0]}/of yesterday")
        left = Unanswered(form, "No, London.", "embedded", "one-word", *((1, 0) if form == "correct" else ()))
        noted = store.begin(left, 1 if form == "correct" else None)
    visitor(engine).looked_for_cut_off = float("-inf")
    at = settled(at.run())
    assert "No, London." in shown_html(at)
    go_on = threading.Event()
    engine.models.worker("embedded").submit(Job("ask", "embedded"), lambda _job: go_on.wait(20))
    at = at.button(key=f"again {noted}").click().run()
    asked_again = [each for each in raw_unanswered(store) if each.said == "No, London."]
    assert [each.is_cut_off for each in asked_again] == [False], "noted once, by this process"
    go_on.set()
    until(at, lambda: visitor(engine).job is None)
    assert raw_unanswered(store) == []
    assert titles(engine) == (["One?"] if form == "correct" else ["No, London.", "One?"])


def raw_unanswered(store: lt.Store) -> list[Unanswered]:
    """All that is noted as unanswered, whichever process was asked."""
    with store.database.reading() as connection:
        rows = connection.execute(select(sessions).where(sessions.c.unanswered.is_not(None))).mappings()
        return [found for found in (summary_of(row).unanswered for row in rows) if found is not None]
