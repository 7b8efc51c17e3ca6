"""A thought on the Ask page: its switch and limit in the sidebar, its fold, and what is looked at."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Toggle
from thinking import thinking_model
from visitor import Loader, asked, corrected, opened, shown_html, sidebar_captions, until, visitor

import llm_tracker as lt
from llm_tracker.app.ask.thoughts import LABEL
from llm_tracker.app.work import engine as engines


def thinker(kind: str) -> lt.LoadedModel:
    model = thinking_model(kind)
    return replace(model, entry=replace(model.entry, id="embedded"))


def folds(at: AppTest) -> int:
    return sum(fold.label == LABEL for fold in at.expander)


def switch(at: AppTest, recipe: str) -> Toggle:
    return at.sidebar.toggle(key=f"thinking {recipe} embedded")


def with_limit(at: AppTest, tokens: int) -> AppTest:
    return at.sidebar.number_input(key="longest thought").set_value(tokens).run()


def test_one_word_answers_come_without_a_thought_until_the_switch_says_otherwise(
    engine: engines.Engine, loader: Loader
) -> None:
    model = thinker("opened_switched")
    loader.load = lambda *_: model
    at = asked(opened("dashboard.py"))
    assert not switch(at, "one-word").value
    assert folds(at) == 0
    with_limit(switch(at, "one-word").set_value(True).run(), 5)
    corrected(asked(at))
    assert folds(at) == 2
    session = visitor(engine).sessions[2]
    assert session.template.thinks
    assert all(turn.thought is not None and turn.thought.closed_by == "limit" for turn in session.turns)
    assert "tokens with its marks, closed at its limit." in shown_html(at)
    assert "Token 1 of" in shown_html(at), "tokens of the answer are counted from its own first one"
    assert "Each answer stands behind a thought of its own." in shown_html(at)
    at.sidebar.radio(key="recipe").set_value("chat").run()
    assert switch(at, "chat").value


def test_a_model_that_always_thinks_has_a_limit_and_says_so(engine: engines.Engine, loader: Loader) -> None:
    model = thinker("opened")
    loader.load = lambda *_: model
    at = opened("dashboard.py")
    assert "its template has no switch for that" in sidebar_captions(at)
    with_limit(at, 3)
    assert folds(asked(at)) == 1
    at.sidebar.radio(key="recipe").set_value("raw").run()
    assert "its template has no switch for that" not in sidebar_captions(at)


def test_a_model_that_only_answers_has_neither(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"))
    assert not [each for each in at.sidebar.number_input if "thought" in each.label]
    assert folds(at) == 0


def test_the_rest_of_a_thought_can_be_skipped(
    engine: engines.Engine, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, go_on = thinker("opened"), threading.Event()
    loader.load = lambda *_: model
    from llm_tracker.tracing import run

    decode = run.decode

    def waiting(*args: object, **more: object) -> object:
        for at, step in enumerate(decode(*args, **more)):  # type: ignore[arg-type]
            if at == 3:
                go_on.wait(20)
            yield step

    monkeypatch.setattr(run, "decode", waiting)
    at = opened("dashboard.py")
    at.text_input(key="question").set_value("Who?")
    at.button(key="ask button").click().run()
    until(at, lambda: any(button.key == "skip before" for button in at.button))
    assert "of at most 256 tokens" in shown_html(at)
    assert folds(at) == 1
    at.button(key="skip before").click().run()
    go_on.set()
    until(at, lambda: not visitor(engine).answering)
    (session,) = [each for number, each in visitor(engine).sessions.items() if number]
    thought = session.turns[0].thought
    assert thought is not None
    assert thought.closed_by == "reader"
    assert "closed by you" in shown_html(at.run())


def test_an_answer_that_was_stopped_in_its_thought_says_so_and_is_scored_nowhere(
    engine: engines.Engine, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = thinker("opened")
    loader.load = lambda *_: model
    from llm_tracker.tracing import run

    monkeypatch.setattr(run, "end_token_ids", lambda _model: set(range(400)))
    at = corrected(asked(opened("dashboard.py")))
    assert "(no answer)" in shown_html(at)
    assert "(ended within its thought)" in shown_html(at)
    assert "No answer came before and after: the thought has no end." in shown_html(at)
    assert "where none came behind the thought, there is no score" in shown_html(at)
