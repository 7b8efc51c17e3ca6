"""The History page, run as a script: find, open, compare, describe, take along, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import streamlit as st
from repeated import one_of_each
from streamlit.testing.v1 import AppTest
from visitor import Loader, asked, corrected, opened, settled, shown_html, shown_turns, tiny_of_any_name, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.turn_ref import TurnRef

PAGE = "pages/7_History.py"


@pytest.fixture(params=one_of_each(["sqlite", "postgresql"], ["sqlite"]))
def store_url(request: pytest.FixtureRequest, kept_in: Callable[[str], str]) -> str:
    """The page asks a store, which is the same on both databases: tests/storage says so, and these say it once more."""
    return kept_in(request.param)


@pytest.fixture
def engine(loader: Loader, store_url: str) -> Iterator[engines.Engine]:
    """An engine with a store of its own."""
    st.cache_resource.clear()
    desk = StoreDesk.of_address(store_url)
    yield engines.the_engine(engines.Engine(loader, first_model_id="embedded", desk=desk))
    store = desk.store("")
    if store is not None:
        store.database.close()
    st.cache_resource.clear()


@pytest.fixture
def store(engine: engines.Engine) -> lt.Store:
    kept = engine.workspaces.desk.store("")
    assert kept is not None
    return kept


@pytest.fixture(scope="module")
def conversation() -> lt.Session:
    """A question and its correction, of the model that the pages have."""
    model = tiny_of_any_name("embedded")
    session = lt.track(model, "What is it?", ["No, London."], max_new_tokens=3, control=True)
    turns = [replace(turn, answer=text) for turn, text in zip(session.turns, ("Paris", "London"), strict=True)]
    return replace(session, turns=tuple(turns))


@pytest.fixture
def at(store: lt.Store, conversation: lt.Session) -> AppTest:
    """The page with two conversations: 1 was corrected, and 2 was not."""
    store.save(conversation)
    first = replace(conversation.turns[0], said="Who is she?")
    store.save(replace(conversation, turns=(first,), controls={}))
    return opened(PAGE)


def on_history(at: AppTest) -> AppTest:
    return settled(at.switch_page(PAGE).run())


def on_ask(at: AppTest) -> AppTest:
    """The test harness forgets to which page a script has switched: it is told."""
    return settled(at.switch_page("dashboard.py").run())


def titles(at: AppTest) -> list[str]:
    return [box.label.strip("*") for box in at.checkbox]


def pressed(at: AppTest, key: str) -> AppTest:
    return settled(at.button(key=key).click().run())


def ticked(at: AppTest, *numbers: int) -> AppTest:
    for number in numbers:
        at = settled(at.checkbox(key=f"choose {number}").check().run())
    return at


def test_before_anything_was_asked_the_page_says_how_it_begins(engine: engines.Engine) -> None:
    at = opened(PAGE)
    assert "Nothing yet. Ask a question on the Ask page" in shown_html(at)
    assert not at.exception


def test_every_conversation_stands_there_with_its_answers_the_newest_first(at: AppTest) -> None:
    assert titles(at) == ["Who is she?", "What is it?"]
    page = shown_html(at)
    for answer in ("Paris", "London"):
        assert f'<bdi class="lt-exact">{answer}</bdi>' in page
    assert "not corrected" in page
    assert "today, " in page
    assert "2 conversations" in page


def test_a_search_and_a_filter_leave_what_fits(at: AppTest) -> None:
    at = settled(at.text_input(key="history search").set_value("WHO").run())
    assert titles(at) == ["Who is she?"]
    assert "1 of 2 found" in shown_html(at)
    at = settled(at.text_input(key="history search").set_value("").run())
    at = settled(at.selectbox(key="history outcome").set_value("one").run())
    assert titles(at) == ["Who is she?"]
    at = settled(at.selectbox(key="history outcome").set_value("").run())
    at = settled(at.selectbox(key="history order").set_value("oldest").run())
    assert titles(at) == ["What is it?", "Who is she?"]


def test_a_conversation_is_opened_on_the_ask_page_and_goes_on_there(
    at: AppTest, engine: engines.Engine, store: lt.Store
) -> None:
    at = pressed(at, "open 1")
    assert at.title[0].value == "LLM Inference Tracker"
    assert shown_turns(engine, at) == (TurnRef(1, 0), TurnRef(1, 1))
    assert at.text_input(key="question").value == "What is it?"
    at = on_ask(at)
    at.session_state["corrects"] = "after"
    at = corrected(at, "No, Rome.")
    assert [turn.said for turn in store.load(1).turns] == ["What is it?", "No, London.", "No, Rome."]


@pytest.mark.parametrize("page", ["Tokens", "Layers", "Attention"])
def test_a_conversation_is_opened_on_every_page_that_shows_answers(
    at: AppTest, engine: engines.Engine, page: str
) -> None:
    at = pressed(ticked(at, 1), f"open on {page}")
    assert at.title[0].value == page
    assert shown_turns(engine, at) == (TurnRef(1, 0), TurnRef(1, 1))
    assert not at.exception


def test_it_is_opened_without_a_model_in_memory(at: AppTest, engine: engines.Engine) -> None:
    engine.models.pool.unload("embedded")
    visitor(engine).sessions.clear()
    at = pressed(at, "open 1")
    assert shown_turns(engine, at) == (TurnRef(1, 0), TurnRef(1, 1))
    assert not at.exception


def test_two_conversations_are_compared(at: AppTest, engine: engines.Engine) -> None:
    at = pressed(ticked(at, 1, 2), "compare chosen")
    assert shown_turns(engine, at) == (TurnRef(1, 1), TurnRef(2, 0))
    page = shown_html(at).replace("<bdi>", "").replace("</bdi>", "")
    assert "These are two questions. “What is it?”: “London”; “Who is she?”: “Paris”" in page
    assert "The answer changed" not in page
    assert not at.exception


def test_only_two_can_be_compared(at: AppTest) -> None:
    keys = [button.key for button in ticked(at, 1).button]
    assert "compare chosen" not in keys


def test_what_is_deleted_is_brought_back_by_undo(at: AppTest, store: lt.Store) -> None:
    at = pressed(ticked(at, 1, 2), "delete chosen")
    assert titles(at) == []
    assert store.list() == []
    at = pressed(at, "undo delete")
    assert titles(at) == ["Who is she?", "What is it?"]


def test_what_was_deleted_earlier_is_found_and_brought_back(at: AppTest, store: lt.Store) -> None:
    at = pressed(ticked(at, 1), "delete chosen")
    at.session_state["history only"] = "deleted"
    at = settled(at.run())
    assert titles(at) == ["What is it?"]
    pressed(at, "restore 1")
    assert len(store.list()) == 2


def test_an_answer_that_is_shown_and_deleted_gives_way_to_the_example(at: AppTest, store: lt.Store) -> None:
    at = pressed(ticked(at, 1, 2), "delete chosen")
    at = on_ask(at)
    assert "A finished example" in shown_html(at)
    assert not at.exception


def test_name_tags_and_note_are_kept_and_shown_as_text(at: AppTest, store: lt.Store) -> None:
    at = ticked(at, 1)
    at.text_input(key="name 1").set_value("**My** :red[one] <b>")
    at.text_area(key="note 1").set_value("<script>alert(1)</script>")
    at.multiselect(key="tags 1").set_value([])
    form = next(button for button in at.button if button.label == "Keep")
    at = settled(form.click().run())
    assert store.summary(1).name == "**My** :red[one] <b>"
    assert "&lt;script&gt;" in shown_html(at)
    assert r"\*\*My\*\*" in at.checkbox(key="choose 1").label
    assert "\\:red" in at.checkbox(key="choose 1").label


def test_a_star_is_given_and_taken(at: AppTest, store: lt.Store) -> None:
    at = pressed(at, "star 1")
    assert store.summary(1).starred
    assert at.button(key="star 1").label == "★"
    pressed(at, "star 1")
    assert not store.summary(1).starred


def test_a_branch_names_the_conversation_that_it_left(at: AppTest, engine: engines.Engine, store: lt.Store) -> None:
    at = pressed(at, "open 1")
    at = on_ask(at)
    at.session_state["corrects"] = "before"
    at = corrected(at, "No, Rome.")
    assert store.summary(3).parent_id == 1
    assert "a branch of “<bdi>What is it?</bdi>”" in shown_html(on_history(at))


def test_old_conversations_are_tidied_away_after_saying_how_many(at: AppTest, store: lt.Store) -> None:
    at.session_state["history tidy"] = True
    at = settled(at.run())
    at.session_state["history tidy"] = True
    at = settled(at.number_input(key="tidy megabytes").set_value(0).run())
    assert "This removes 2 conversations" in shown_html(at)
    at = pressed(at, "tidy prune")
    assert store.list() == []
    assert "Nothing yet" in shown_html(at)


def test_a_store_that_is_away_is_said_and_the_page_stands(
    at: AppTest, engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise lt.StoreError("The store cannot be reached now.")

    monkeypatch.setattr(lt.Store, "find", fail)
    at = settled(at.run())
    assert "The store cannot be reached now." in shown_html(at)
    assert not at.exception


def test_where_nothing_is_kept_the_page_says_so(loader: Loader) -> None:
    st.cache_resource.clear()
    engines.the_engine(engines.Engine(loader, first_model_id="embedded", desk=StoreDesk.of_address("none")))
    at = asked(opened("dashboard.py"))
    assert "Nothing is kept here" in shown_html(on_history(at))
    st.cache_resource.clear()
