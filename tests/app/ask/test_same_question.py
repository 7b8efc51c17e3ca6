"""Another model is asked the same: its answer stands beside the first one's, and every view compares by model."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tiny_models import tiny_model
from visitor import (
    VIEWS,
    Loader,
    asked,
    chart_rows,
    chosen,
    corrected,
    headings,
    opened,
    picker,
    settled,
    shown_html,
    told,
    until,
    visitor,
)

import llm_tracker as lt
from llm_tracker.app.parts import html
from llm_tracker.app.selection.answer_pickers import answer_labels
from llm_tracker.app.work import asking, background, model_desk
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.tracing import run

LAYERS = {"embedded": 3, "smollm2": 5}
TITLES = {"embedded": "Small", "smollm2": "Large"}


def tiny_of_this_name(name: str, *_: object) -> lt.LoadedModel:
    """Two models of other depths, under the names of the catalogue's."""
    model = tiny_model("llama", num_hidden_layers=LAYERS[name])
    return replace(model, entry=replace(model.entry, id=name, title=TITLES[name]))


@cache
def small() -> lt.Session:
    """What the first of them was asked."""
    return lt.track(tiny_of_this_name("embedded"), "What is it?", max_new_tokens=16)


@pytest.fixture
def two_models(engine: engines.Engine, loader: Loader, monkeypatch: pytest.MonkeyPatch) -> engines.Engine:
    loader.load = tiny_of_this_name
    monkeypatch.setattr(model_desk, "is_local", lambda entry: entry.id in LAYERS)
    return engine


def side_by_side(at: AppTest) -> AppTest:
    return settled(chosen(at, "smollm2").button(key="ask same").click().run())


def has_button(at: AppTest) -> bool:
    return any(button.key == "ask same" for button in at.button)


def test_the_two_first_answers_stand_side_by_side(two_models: engines.Engine) -> None:
    at = side_by_side(told(two_models, small()))
    workspace = visitor(two_models)
    assert workspace.shown == (TurnRef(1, 0), TurnRef(2, 0))
    first, second = workspace.sessions[1], workspace.sessions[2]
    assert (first.model.id, second.model.id) == ("embedded", "smollm2")
    assert first.turns[0].said == second.turns[0].said
    assert (first.recipe, first.recipe_messages, first.decoding) == (
        second.recipe,
        second.recipe_messages,
        second.decoding,
    )
    assert headings(at) == VIEWS
    assert "Answered by Small and Large, one-word answers." in shown_html(at)
    assert "Before: Small" in shown_html(at)
    assert "After: Large" in shown_html(at)
    assert not has_button(at)


def test_the_headline_names_the_models_and_speaks_of_no_correction(two_models: engines.Engine) -> None:
    html_text = shown_html(side_by_side(told(two_models, small())))
    (headline,) = [part for part in html_text.split("<p ") if 'class="lt-headline headline"' in part]
    assert "Small says" in headline
    assert "Large says" in headline
    for word in ("changed", "again", "→"):
        assert word not in headline
    assert "Both models read the same words, each in its own template" in html_text


def test_each_word_is_followed_in_both_models(two_models: engines.Engine) -> None:
    at = side_by_side(told(two_models, small()))
    at = settled(at.multiselect[0].set_value([*at.multiselect[0].value, "zebra"]).run())
    sessions = visitor(two_models).sessions
    for number, n_layers in ((1, 3), (2, 5)):
        lens = sessions[number].turns[0].trace.lens[0].watched["zebra"]
        assert len(lens.prob) == n_layers
    assert set(sessions[1].watch_words) == set(sessions[2].watch_words)


def test_the_layers_share_an_axis_of_depth(two_models: engines.Engine) -> None:
    at = side_by_side(told(two_models, small()))
    drawn = [row for rows in chart_rows(at, 1) for row in rows if "at" in row and "turn" in row]
    assert {row["turn"] for row in drawn} == {"before", "after"}
    assert {row["at"] for row in drawn if row["turn"] == "after"} == {20, 40, 60, 80, 100}
    assert "Small has 3 layers and Large has 5 layers; the axis is the depth in each, in percent." in shown_html(at)


def test_each_model_has_its_own_layer_and_head_in_the_attention_view(two_models: engines.Engine) -> None:
    at = side_by_side(told(two_models, small()))
    sliders = {slider.label: slider for slider in at.slider}
    assert {label: slider.max for label, slider in sliders.items()} == {"Layer, Small": 3, "Layer, Large": 5}
    assert "In Small, layer 3 of 3, " in shown_html(at)
    at = settled(sliders["Layer, Large"].set_value(2).run())
    assert "in Large, layer 2 of 5, " in shown_html(at)
    session = visitor(two_models).sessions[2]
    groups = lt.attention_groups(lt.attention_by_word(session.turns[0], 0, 2))
    drawn = [row for rows in chart_rows(at, -1) for row in rows if row.get("name") == "after" and "share" in row]
    assert {row["group"]: row["share"] for row in drawn} == pytest.approx(groups.to_dict())


def test_a_correction_goes_to_the_model_that_gave_the_answer(two_models: engines.Engine) -> None:
    at = side_by_side(told(two_models, small()))
    assert "A correction goes to the model that gave the answer." in shown_html(at)
    at.segmented_control(key="corrects").set_value("after").run()
    at = corrected(at)
    sessions = visitor(two_models).sessions
    assert visitor(two_models).shown == (TurnRef(2, 0), TurnRef(2, 1))
    assert [len(sessions[number].turns) for number in (1, 2)] == [1, 2]
    assert "(asked again: " in shown_html(at)
    at = settled(picker(at, "before").set_value(TurnRef(1, 0)).run())
    assert "These models did not read the same words" in shown_html(at)


def test_answers_of_two_models_are_told_apart_where_they_are_picked(two_models: engines.Engine) -> None:
    at = side_by_side(told(two_models, small()))
    options = picker(at, "before").options
    assert [option.split(":")[0] for option in options] == ["Large", "Small"]


def test_answers_that_read_alike_are_told_apart_where_they_are_picked() -> None:
    def session(model: str) -> Any:
        turn = SimpleNamespace(said="Why?", answer="So", edit=None)
        return SimpleNamespace(model=SimpleNamespace(id=model, title="tiny"), turns=[turn], parent=None)

    answers = {TurnRef(1, 0): session("a"), TurnRef(2, 0): session("a"), TurnRef(3, 0): session("b")}
    labels = list(answer_labels(answers).values())
    assert labels == ["tiny: “So” to “Why?”", "tiny: “So” to “Why?” · 2", "tiny: “So” to “Why?” · 3"]
    assert list(answer_labels({TurnRef(1, 0): session("a")}).values()) == ["“So” to “Why?”"]


def test_the_question_is_the_first_one_of_what_is_shown(two_models: engines.Engine) -> None:
    at = side_by_side(corrected(asked(opened("dashboard.py"), "Why?")))
    workspace = visitor(two_models)
    assert workspace.sessions[2].turns[0].said == "Why?"
    assert workspace.shown == (TurnRef(1, 0), TurnRef(2, 0))
    assert html.exact("No, London.") not in shown_html(at)


def test_the_button_waits_for_the_model_and_the_first_answer_stays_while_it_does(
    two_models: engines.Engine, loader: Loader
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    at = told(two_models, small())

    def load(name: str, *_: object) -> lt.LoadedModel:
        inside.set()
        assert go_on.wait(20)
        return tiny_of_this_name(name)

    loader.load = load
    at = at.sidebar.selectbox(key="model").set_value("smollm2").run().run()
    assert inside.wait(20)
    button = at.run().button(key="ask same")
    assert button.disabled
    assert button.label.endswith("(once it is ready)")
    assert headings(at) == VIEWS
    go_on.set()
    at = settled(at.run())
    assert not at.button(key="ask same").disabled


def test_an_answer_is_read_where_it_will_be_compared_before_its_model_may_have_to_go(
    two_models: engines.Engine, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "answer_step_of", lambda *_: 1)
    at = told(two_models, small())
    workspace, pool = visitor(two_models), two_models.models.pool
    until(at, lambda: not two_models.models.worker("embedded").busy and 0 in workspace.sessions[1].turns[0].trace.lens)
    pool.unload("embedded")
    loader.load = lambda name, *_: tiny_of_this_name({"smollm2": name}[name])
    at = side_by_side(at)
    assert workspace.errors == {}, "the first model was needed once more"
    assert "Token 1 of " in shown_html(at)
    assert "not been read yet" not in " ".join([shown_html(at), *(text.value for text in at.markdown)])


def test_what_is_read_at_once_from_two_sides_is_all_kept(
    two_models: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "answer_step_of", lambda *_: 1)
    inside, go_on = threading.Event(), threading.Event()
    read_first = asking.read_first_position

    def held_up(*asked: Any) -> None:
        inside.set()
        assert go_on.wait(20)
        read_first(*asked)

    monkeypatch.setattr(asking, "read_first_position", held_up)
    workspace = Workspace(model_id="embedded", wanted_id="embedded")
    asking.ask(two_models, workspace, "What is it?")
    assert inside.wait(20)
    (number,) = workspace.sessions
    background.read_step(
        two_models, workspace, TurnRef(number, 0), 2
    )  # with the session as it is without its first position
    go_on.set()
    for _ in range(400):
        if workspace.collect() or not two_models.models.worker("embedded").busy:
            break
        time.sleep(0.01)
    assert sorted(workspace.sessions[number].turns[0].trace.lens) == [0, 1, 2]


def test_an_answer_that_fails_leaves_what_was_shown(two_models: engines.Engine, loader: Loader) -> None:
    at = chosen(corrected(asked(opened("dashboard.py"))), "smollm2")

    def fail(*_: object) -> None:
        raise lt.ModelError("The file is gone.")

    two_models.models.pool.unload("smollm2")
    loader.load = fail
    at = at.button(key="ask same").click().run()
    for _ in range(100):
        if visitor(two_models).errors.get("ask"):
            break
        at = at.run()
    assert visitor(two_models).shown == (TurnRef(1, 0), TurnRef(1, 1))
    assert "The file is gone." in shown_html(at.run())
    assert headings(at) == VIEWS


def test_the_example_is_not_asked_of_another_model(two_models: engines.Engine) -> None:
    assert not has_button(chosen(opened("dashboard.py"), "smollm2"))


def test_a_question_that_is_not_kept_any_more_is_a_sentence(two_models: engines.Engine) -> None:
    at = told(two_models, small())
    asking.ask_same(two_models, visitor(two_models), 99)
    assert "That question is not kept any more." in shown_html(at.run())
