"""The language is changed while a browser still shows the page in the one before: every choice stays what it was."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest
from visitor import settled, shown_turns, told, visitor

from llm_tracker.app.frame.found_pages import found_pages
from llm_tracker.app.work import engine as engines
from llm_tracker.languages.spoken import in_language
from llm_tracker.places import app_dir

PAGES = list(found_pages(app_dir()))


def choices(at: AppTest) -> dict[str, Any]:
    """The widgets with options, by their keys in English."""
    found = [*at.selectbox, *at.radio, *at.multiselect, *at.button_group]
    return {str(widget.key).removesuffix(" in de"): widget for widget in found}


def chosen(at: AppTest) -> dict[str, Any]:
    return {key: widget.value for key, widget in choices(at).items() if key != "language"}


def in_german(at: AppTest) -> WidgetStates:
    """Change the language; what a browser sends that has heard of the change and has drawn nothing of it yet."""
    at.selectbox(key="language").set_value("de")
    sent: WidgetStates = at._tree.get_widget_states()
    at._run(sent)
    assert not at.exception
    return sent


@pytest.mark.parametrize("page", PAGES)
def test_a_browser_that_shows_the_old_labels_chooses_nothing_with_them(engine: engines.Engine, page: str) -> None:
    at = told(engine, page=page)
    before = chosen(at)
    labels = {key: list(widget.proto.options) for key, widget in choices(at).items()}
    sent = in_german(at)
    for key, widget in choices(at).items():
        is_other = list(widget.proto.options) != labels[key]
        assert widget.key == (f"{key} in de" if is_other else widget.key), "other labels are another widget's"
    at._run(sent)
    assert not at.exception
    assert chosen(at) == before


def test_a_ready_question_is_asked_by_a_browser_that_shows_the_old_labels(engine: engines.Engine) -> None:
    at = told(engine)
    settled(at.radio(key="recipe").set_value("chat").run())
    sent = in_german(at)
    sent.widgets.add(id=at.button(key="ask capital").id, trigger_value=True)
    at._run(sent)
    with in_language("de"):
        settled(at)
    (answer, _), workspace = shown_turns(engine, at), visitor(engine)
    assert answer is not None
    assert workspace.sessions[answer.session].recipe == "chat"
    assert workspace.sessions[answer.session].turns[0].said == "What is the capital of France?"


def test_a_choice_made_in_german_is_there_in_english_again(engine: engines.Engine) -> None:
    at = told(engine)
    in_german(at)
    with in_language("de"):  # in which the harness finds the labels of what it sends
        at.radio(key="recipe in de").set_value("raw").run()
        at.selectbox(key="language").set_value("en").run()
    assert not at.exception
    assert at.radio(key="recipe").value == "raw"
