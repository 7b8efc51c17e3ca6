"""The frame of every page, and the pages beside Ask, run as scripts."""

from __future__ import annotations

import threading
import time

import pytest
import streamlit as st
from visitor import (
    VIEWS,
    Loader,
    asked,
    headings,
    opened,
    settled,
    shown_html,
    sidebar_captions,
    tiny_of_any_name,
    told,
    visitor,
)

import llm_tracker as lt
from llm_tracker.app.frame.model_picker import use
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work import model_desk
from llm_tracker.app.work.jobs import Job


def test_a_model_that_made_room_for_another_is_loaded_again_by_a_question_and_not_by_looking(
    engine: engines.Engine,
) -> None:
    at = opened("dashboard.py")
    engine.models.pool.unload("embedded")
    at = settled(at.run())
    assert engine.models.loaded("embedded") is None
    assert "Not in memory now. The next question loads it again." in sidebar_captions(at)
    at = asked(at)
    assert engine.models.loaded("embedded") is not None
    assert "read exactly" in sidebar_captions(at)


def test_a_model_that_is_picked_again_is_loaded_again(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    engine.models.pool.unload("embedded")
    workspace = visitor(engine)
    use(engine, workspace, engine.models.entry("embedded"))
    at = settled(at.run())
    assert "read exactly" in sidebar_captions(at)


def test_a_load_that_is_being_cancelled_is_not_handed_to_whoever_asks_next(engine: engines.Engine) -> None:
    opened("dashboard.py")
    engine.models.pool.unload("embedded")
    go_on = threading.Event()
    engine.models.worker("embedded").submit(Job("ask", "embedded"), lambda _job: go_on.wait(20))
    first = engine.models.load("embedded")
    assert engine.models.load("embedded") is first
    first.stop()
    second = engine.models.load("embedded")
    go_on.set()
    while second.active:
        time.sleep(0.01)
    assert (first.status, second.status) == ("stopped", "done")


def test_the_sidebar_names_the_model_that_is_being_downloaded(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    at = settled(next(button for button in at.sidebar.button if button.label.startswith("Download")).click().run())
    assert at.sidebar.selectbox(key="model").value == "tinyllama"


def test_a_recipe_chosen_later_is_said_to_be_for_the_next_question(engine: engines.Engine) -> None:
    at = told(engine, "")
    assert "for the next question" not in shown_html(at)
    at = settled(at.sidebar.radio(key="recipe").set_value("chat").run())
    assert "one-word answers. A correction goes to the same" in shown_html(at)


def test_a_model_that_fails_to_load_says_so_and_can_be_tried_again(engine: engines.Engine, loader: Loader) -> None:
    def fail(*_: object) -> None:
        raise lt.ModelError("The weights are damaged. Load them again.")

    loader.load = fail
    at = opened("dashboard.py")
    assert "The weights are damaged. Load them again." in shown_html(at)
    loader.load = tiny_of_any_name
    at = settled(next(button for button in at.sidebar.button if button.label == "Try again").click().run())
    assert any("read exactly" in caption.value for caption in at.sidebar.caption)


def test_nothing_is_downloaded_unasked(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    assert any(button.label == "Download TinyLlama, 2.2 GB" for button in at.sidebar.button)
    at.sidebar.selectbox(key="model").set_value("smollm2").run()
    assert engine.models.load_job("smollm2") is None
    assert any(button.label.startswith("Download SmolLM2") for button in at.sidebar.button)


def test_choosing_another_model_keeps_the_conversation(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_desk, "is_local", lambda _entry: True)
    at = told(engine, "")
    at = settled(at.sidebar.selectbox(key="model").set_value("smollm2").run())
    assert headings(at) == VIEWS
    assert visitor(engine).model_id == "smollm2"


def test_where_no_model_is_here_the_download_begins_by_itself(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_resource.clear()
    monkeypatch.setattr(engines, "default_model_id", lambda: "embedded")
    monkeypatch.setattr(engines, "is_local", lambda _entry: False)
    monkeypatch.setattr(model_desk, "is_local", lambda _entry: False)
    engine = engines.the_engine(engines.Engine(loader))
    at = opened("dashboard.py")
    assert engine.models.load_job("tinyllama") is not None
    assert at.sidebar.selectbox(key="model").value == "tinyllama"


def test_the_guide_stands_by_itself(engine: engines.Engine) -> None:
    at = opened("pages/10_Guide.py")
    assert at.title[0].value == "Guide"
    headings = ["How to read the views", "Say what was measured", "Terms in plain words", "References"]
    assert [each.value for each in at.subheader] == headings
    assert "a list of numbers for each token" in " ".join(markdown.value for markdown in at.markdown)


def test_the_guide_has_its_terms_in_plain_words_and_exactly(engine: engines.Engine) -> None:
    at = opened("pages/10_Guide.py")
    (wording,) = at.get("button_group")
    at = settled(wording.set_value("exact").run())
    assert at.subheader[2].value == "Terms exactly"
    assert "e^{z_v}" in " ".join(markdown.value for markdown in at.markdown)
