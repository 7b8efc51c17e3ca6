"""A host that strangers share: nobody sees another's, much is bounded, and nothing of the machine can be reached."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from visitor import Loader, asked, corrected, opened, settled, shown_html

import llm_tracker as lt
from llm_tracker.app.history.tidying import _import
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.keeping.most_kept import MostKept
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.limits import PUBLIC, Pace
from llm_tracker.export.stored import stored_zip
from llm_tracker.settings import Settings
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.importing import import_zip
from llm_tracker.storage.store.sharing import revoke, share, shared_session, token_of
from llm_tracker.storage.store.visits import digest
from llm_tracker.storage.unpacking import Limits

HISTORY = "pages/7_History.py"


@pytest.fixture
def engine(loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[engines.Engine]:
    """A shared host's engine."""
    monkeypatch.setenv("LLM_TRACKER_PUBLIC", "1")
    monkeypatch.setenv("LLM_TRACKER_MODELS", "embedded, tinyllama")
    st.cache_resource.clear()
    desk = StoreDesk.of_address(str(tmp_path / "s.sqlite"))
    yield engines.the_engine(engines.Engine(loader, desk=desk))
    store = desk.store("")
    if store is not None:
        store.database.close()
    st.cache_resource.clear()


def owners_store(engine: engines.Engine, at: AppTest) -> lt.Store:
    """The store of the visitor of a tab."""
    workspace = next(each for each in engine.workspaces if each.key == at.session_state["workspace"])
    store = workspace.sessions.store
    assert store is not None
    return store


def titles(at: AppTest) -> list[str]:
    return [box.label.strip("*") for box in at.checkbox]


def test_nobody_sees_the_conversations_of_another(engine: engines.Engine) -> None:
    mine, theirs = asked(opened("dashboard.py"), "Mine?"), asked(opened("dashboard.py"), "Theirs?")
    for at, title in ((mine, "Mine?"), (theirs, "Theirs?")):
        page = settled(at.switch_page(HISTORY).run())
        assert titles(page) == [title]
        assert "known here by the address of this page alone" in shown_html(page)


def test_a_number_in_the_address_opens_nothing_of_another(engine: engines.Engine) -> None:
    asked(opened("dashboard.py"), "Mine?")
    stranger = opened("dashboard.py")
    stranger.query_params["turns"] = "1.0"
    assert "Mine?" not in shown_html(settled(stranger.run()))
    again = AppTest.from_file(str(Path(__file__).resolve().parents[2] / "dashboard.py"), default_timeout=90)
    again.query_params["turns"] = "1.0"
    assert "Mine?" not in shown_html(settled(again.run()))


def test_only_the_models_that_are_offered_can_be_named(engine: engines.Engine, tmp_path: Path) -> None:
    at = opened("dashboard.py")
    box = at.sidebar.selectbox(key="model")
    assert len(box.options) == 2
    for name in ("owner/name", str(tmp_path), "/etc/passwd", "~/model.gguf", "qwen3-0.6b"):
        with pytest.raises(lt.ModelRefusedError, match="offers these models only: embedded, tinyllama"):
            engine.models.entry(name)


def test_what_runs_code_stays_off_whatever_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_TRACKER_PUBLIC", "yes")
    monkeypatch.setenv("LLM_TRACKER_MODEL", "owner/name")
    monkeypatch.setenv("LLM_TRACKER_TRUST_REMOTE_CODE", "owner/name")
    monkeypatch.setenv("LLM_TRACKER_ALLOW_PICKLE", "owner/name")
    settings = Settings.of_environment()
    assert settings.public
    assert settings.options.trust == lt.Trust()


def test_a_directory_is_not_offered_even_if_the_app_was_started_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loader: Loader
) -> None:
    monkeypatch.setenv("LLM_TRACKER_PUBLIC", "1")
    monkeypatch.setenv("LLM_TRACKER_MODEL", str(tmp_path))
    engine = engines.Engine(loader)
    assert "a path of this machine: a shared host loads none" in engine.settings_error
    assert (engine.settings.public, engine.models.offered) == (True, ("embedded",))


def test_a_wrong_setting_leaves_the_host_a_shared_one(monkeypatch: pytest.MonkeyPatch, loader: Loader) -> None:
    monkeypatch.setenv("LLM_TRACKER_PUBLIC", "1")
    monkeypatch.setenv("LLM_TRACKER_LIMITS", "nonsense=1")
    engine = engines.Engine(loader)
    assert "nonsense" in engine.settings_error
    assert engine.settings.public
    assert engine.limits == PUBLIC


def test_a_text_that_is_too_long_is_refused_and_stays_in_its_field(engine: engines.Engine) -> None:
    long = "why " * 300
    at = opened("dashboard.py")
    at.text_input(key="question").set_value(long)
    at = settled(at.button(key="ask button").click().run())
    assert "This has 1,200 characters; at most 1,000 are taken here." in shown_html(at)
    assert at.text_input(key="question").value == long
    at = asked(at, "Why?")
    at.text_input(key="correction").set_value(long)
    at = settled(at.button(key="correct button").click().run())
    assert "This has 1,200 characters" in shown_html(at)


def test_an_answer_is_no_longer_than_the_host_allows(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    assert at.number_input(key="longest answer").max == PUBLIC.answer_tokens
    (workspace,) = engine.workspaces
    workspace.max_new_tokens = 200
    asked(at)
    assert owners_store(engine, at).load(1).decoding.max_new_tokens == PUBLIC.answer_tokens


def test_so_many_questions_a_minute(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"), "One?")
    engine.pace = Pace(1)
    engine.pace.seconds_to_wait(at.session_state["workspace"])
    at = asked(at, "Two?")
    assert "This host takes 20 questions a minute from each visitor. The next one can be asked in" in shown_html(at)
    other = asked(opened("dashboard.py"), "Three?")
    assert "questions a minute" not in shown_html(other)


def test_so_many_wait_and_no_more(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened("dashboard.py")
    monkeypatch.setattr(type(engine.models.worker("embedded")), "n_waiting", 60)
    at = asked(at)
    assert "Too many are waiting for this model now (60)." in shown_html(at)


def test_a_conversation_that_has_grown_too_long_is_looked_at_and_not_gone_on_with(
    engine: engines.Engine,
) -> None:
    at = asked(opened("dashboard.py"))
    engine.limits = replace(engine.limits, prompt_tokens=10)
    at = corrected(at)
    assert "here it goes on up to 10. Begin a new one." in shown_html(at)


def test_so_many_conversations_are_kept_and_those_with_a_star_stay(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"), "One?")
    store = owners_store(engine, at)
    store.describe(1, starred=True)
    engine.workspaces.at(at.session_state["workspace"], lambda key: f"link {digest(key)}").sessions.most = MostKept(
        2, 10**9
    )
    for question in ("Two?", "Three?"):
        at = asked(at, question)
    assert [each.title for each in store.list()] == ["Three?", "One?"]
    history = settled(at.switch_page(HISTORY).run())
    history.button(key="star 3").click().run()
    assert "At most 1 conversations can have a star here" in shown_html(history)
    assert not store.summary(3).starred


def test_an_import_takes_no_room_from_what_is_there_and_brings_no_stars(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"), "Mine?")
    store = owners_store(engine, at)
    store.describe(1, starred=True)
    engine.limits = replace(engine.limits, sessions=2)
    archive = stored_zip(store, [1, 1])
    imported = _import(engine, store, io.BytesIO(archive))
    assert len(imported.ids) == 1
    assert [each.starred for each in store.list()] == [False, True]
    (refused,) = _import(engine, store, io.BytesIO(archive)).refused
    assert refused == ("session-1", "no more than 2 conversations, and 200 MB of them, are kept here")


def test_importing_and_deleting_in_turn_fills_no_store(engine: engines.Engine) -> None:
    store = owners_store(engine, asked(opened("dashboard.py"), "Mine?"))
    engine.limits = replace(engine.limits, sessions=2)
    archive = stored_zip(store, [1])
    for _ in range(4):
        store.delete(*_import(engine, store, io.BytesIO(archive)).ids)
    assert store.count(Query())[0] + store.count(Query(deleted=True))[0] <= 2
    assert [each.title for each in store.list()] == ["Mine?"]


def test_an_imported_conversation_of_another_model_is_looked_at_and_loads_nothing(
    engine: engines.Engine, loader: Loader
) -> None:
    at = corrected(asked(opened("dashboard.py"), "Mine?"), "No, London.")
    store = owners_store(engine, at)
    loader.load = lambda *_: pytest.fail("a model was loaded")
    session = store.load(1)
    bare = replace(session, model=replace(session.model, id="somebody/else"), controls={})
    number = store.save(bare.with_traces(lambda turn: replace(turn.trace, lens={})))
    at = visiting(s=at.session_state["workspace"], turns=f"{number}.0-{number}.1")
    assert "Only what was read before can be looked at here: its model is not here." in shown_html(at)
    at = corrected(at, "No, Rome.")
    assert "This conversation can be looked at, but not gone on with: its model is not here." in shown_html(at)


def test_nothing_can_be_unloaded_that_others_use(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    at = settled(at.switch_page("pages/8_Models.py").run())
    assert [button.key for button in at.button if "unload" in str(button.key)] == []


@pytest.fixture
def shared(engine: engines.Engine) -> tuple[lt.Store, str]:
    """A conversation that its owner shares, and its link's token."""
    at = corrected(asked(opened("dashboard.py"), "Mine?"), "No, London.")
    store = owners_store(engine, at)
    return store, share(store, 1)


def visiting(**address: str) -> AppTest:
    at = AppTest.from_file(str(Path(__file__).resolve().parents[2] / "dashboard.py"), default_timeout=90)
    for name, value in address.items():
        at.query_params[name] = value
    return settled(at.run())


def test_a_shared_conversation_is_read_by_whoever_has_the_link(shared: tuple[lt.Store, str]) -> None:
    at = visiting(share=shared[1])
    assert "Shared with you, to read" in shown_html(at)
    assert at.text_input(key="question").value == "Mine?"
    assert not at.exception


def test_a_correction_of_a_shared_conversation_is_the_visitors_own(
    shared: tuple[lt.Store, str], engine: engines.Engine
) -> None:
    store, token = shared
    before = [turn.said for turn in store.load(1).turns]
    at = visiting(share=token)
    at.session_state["corrects"] = "after"
    at = corrected(at, "No, Rome.")
    assert [turn.said for turn in store.load(1).turns] == before
    own = owners_store(engine, at)
    assert own.owner != store.owner
    assert [each.said for each in own.list()] == [("Mine?", "No, London.", "No, Rome.")]


def test_a_link_that_was_revoked_opens_nothing_also_where_it_is_open(shared: tuple[lt.Store, str]) -> None:
    store, token = shared
    at = visiting(share=token)
    revoke(store, 1)
    at = settled(at.run())
    assert "This link opens nothing here" in shown_html(at)
    assert "Mine?" not in shown_html(at).replace('value="Mine?"', "")
    assert "This link opens nothing here" in shown_html(visiting(share=token))
    assert shared_session(store.database, token) is None


def test_a_link_is_the_owners_to_make_and_to_revoke(shared: tuple[lt.Store, str]) -> None:
    store, token = shared
    stranger = store.for_owner("stranger")
    assert share(store, 1) == token
    assert token_of(stranger, 1) is None
    with pytest.raises(lt.InputError, match="no session"):
        share(stranger, 1)
    revoke(stranger, 1)
    assert token_of(store, 1) == token
    store.delete(1)
    assert shared_session(store.database, token) is None


def test_an_upload_of_others_has_bounds(engine: engines.Engine, shared: tuple[lt.Store, str]) -> None:
    store, _ = shared
    archive = io.BytesIO(lt.session_zip(store.load(1), partial=True))
    with pytest.raises(lt.InputError, match="holds more than"):
        import_zip(store, archive, Limits(bytes=1000))


def test_a_job_of_a_visitor_who_has_left_leaves_the_queue(engine: engines.Engine) -> None:
    workspace = engine.workspaces.at(None)
    workspace.seen_at -= 100
    job = Job("ask", "embedded")
    engine.submit(workspace, job, lambda _job: None, lambda: None)
    assert not job.is_wanted()
    workspace.seen_at += 100
    assert job.is_wanted()
