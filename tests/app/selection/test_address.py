"""The address of a tab shows the same in another one; what is wrong or old in it is ignored."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from visitor import (
    VIEWS,
    asked,
    chart_rows,
    corrected,
    headings,
    opened,
    picker,
    reopened,
    settled,
    shown_html,
    shown_turns,
    told,
    visitor,
)

from llm_tracker.app.selection.answer_pickers import ALONE
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef


def said(at: AppTest) -> dict[str, Any]:
    """What the address says besides the visitor's key."""
    return {name: value for name, value in at.query_params.items() if name != "s"}


def box(at: AppTest, label: str) -> Any:
    return next(each for each in [*at.selectbox, *at.slider] if each.label.startswith(label))


def drawn(at: AppTest) -> list[str]:
    """The data of the three charts."""
    return [repr(chart_rows(at, chart)) for chart in range(3)]


def test_nothing_is_said_until_something_is_chosen(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    assert said(at) == {}
    assert said(asked(at)) == {}


def test_another_tab_at_this_address_shows_the_same(engine: engines.Engine) -> None:
    at = told(engine)
    words = list(at.multiselect[0].value)
    at = settled(at.multiselect[0].set_value([*words, "zebra"]).run())
    at = box(at, "Layer").set_value(2).run()
    at = box(at, "Head").set_value(3).run()
    at = at.segmented_control(key="layers measure of 3").set_value("rank").run()
    at = box(at, "Word").set_value(words[0]).run()
    at = at.segmented_control(key="read of 3").set_value("again").run()
    assert said(at) == {
        "turns": "1.0-1.1",
        "word": [*words, "zebra"],
        "layer": "2",
        "head": "3",
        "lines": "rank",
        "of": words[0],
        "over": words[1],
        "text": "again",
    }
    other = reopened(at)
    assert other.multiselect[0].value == [*words, "zebra"]
    assert (box(other, "Layer").value, box(other, "Head").value) == (2, 3)
    assert other.segmented_control(key="layers measure of 3").value == "rank"
    assert box(other, "Word").value == words[0]
    assert other.segmented_control(key="read of 3").value == "again"
    assert drawn(other) == drawn(at)
    assert said(other) == said(at)


def test_the_tokens_of_an_address_are_looked_at(engine: engines.Engine) -> None:
    at = reopened(told(engine), step="1-1")
    assert "The views below look at token 2 before and token 2 after." in shown_html(at)
    assert said(at) == {"step": "1-1"}


def test_two_picked_answers_are_in_the_address(engine: engines.Engine) -> None:
    at = asked(told(engine), "What was it?")
    at = settled(picker(at, "before").set_value(TurnRef(1, 1)).run())
    at = settled(picker(at, "after").set_value(TurnRef(1, 0)).run())
    assert said(at) == {"turns": "1.1-1.0"}
    assert shown_turns(engine, reopened(at)) == (TurnRef(1, 1), TurnRef(1, 0))
    assert visitor(engine).shown == (TurnRef(2, 0), None), "a tab of its own chooses for itself"


def test_a_new_answer_is_shown_and_takes_away_what_was_said_of_the_old_one(engine: engines.Engine) -> None:
    at = told(engine)
    at = settled(at.multiselect[0].set_value([]).run())
    at = box(at, "Layer").set_value(1).run()
    assert said(at) == {"turns": "1.0-1.1", "word": "", "layer": "1"}
    at = asked(at, "What was it?")
    assert said(at) == {"layer": "1"}
    assert shown_turns(engine, at) == (TurnRef(2, 0), None)
    assert at.multiselect[0].value


def test_a_tab_that_is_reloaded_while_an_answer_is_on_its_way_will_show_that(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    at = box(settled(at.multiselect[0].set_value([]).run()), "Layer").set_value(1).run()
    whole, workspace = said(at), visitor(engine)
    workspace.job = Job("ask", answer=ComingAnswer("ask"), status="running")
    at.run()
    assert said(at) == {"layer": "1"}
    assert at.multiselect[0].value == []
    workspace.job = None
    assert said(at.run()) == whole


def test_an_answer_that_arrives_in_another_tab_is_shown_here_too(engine: engines.Engine) -> None:
    at = settled(picker(told(engine), "after").set_value(ALONE).run())
    asked(reopened(at), "What was it?")
    at = settled(at.run())
    assert (said(at), shown_turns(engine, at)) == ({}, (TurnRef(2, 0), None))


@pytest.mark.parametrize(
    "wrong",
    [
        {"turns": "7.0", "step": "1", "word": "zebra"},
        {"turns": "1.5-1.0", "word": ""},
        {"turns": "latest"},
        {"step": "99-99"},
        {"layer": "99", "head": "99"},
        {"layer": "0", "head": "-4"},
        {"lines": "lead", "of": "nobody said it", "over": "nor this"},
        {"text": "again", "map-shows": "prob of a", "compare": "last"},
    ],
    ids=str,
)
def test_what_is_wrong_or_old_in_an_address_is_ignored(engine: engines.Engine, wrong: dict[str, str]) -> None:
    at = told(engine, "")
    other = reopened(at, **wrong)
    assert not other.exception
    assert headings(other) == VIEWS
    assert shown_turns(engine, other) == (TurnRef(1, 0), None)
    assert drawn(other) == drawn(at)


def test_an_answer_may_stand_beside_its_own_copy_in_a_branch(engine: engines.Engine) -> None:
    at = corrected(told(engine), "That is right.")
    other = reopened(at, turns="1.0-2.0")
    assert not other.exception
    assert shown_turns(engine, other) == (TurnRef(1, 0), TurnRef(2, 0))


def test_a_word_that_no_model_can_read_leaves_the_address_again(engine: engines.Engine) -> None:
    at = told(engine)
    words = list(at.multiselect[0].value)
    other = reopened(at, word=[*words, "a\x00b"])
    assert "NUL" in shown_html(other)
    assert other.multiselect[0].value == words
    assert "word" not in said(other)


def test_the_selection_goes_along_to_other_pages_and_back(engine: engines.Engine) -> None:
    at = told(engine, "")
    at = box(at, "Layer").set_value(2).run()
    at = settled(at.switch_page("pages/10_Guide.py").run())
    at = settled(at.switch_page("dashboard.py").run())
    assert box(at, "Layer").value == 2
    assert said(at) == {"layer": "2"}


def a_box() -> None:
    """A box as the views have them, and a button for what Streamlit does at times: it calls back unasked."""
    import streamlit as st

    from llm_tracker.app.selection.address import show_choice

    taken = st.session_state.setdefault("taken", [])
    choose = show_choice("box", "a", taken.append)
    st.selectbox("Box", ["a", "b"], key="box", on_change=choose)
    st.button("Call back", on_click=choose)


def test_a_widget_that_is_called_back_with_what_it_shows_chooses_nothing() -> None:
    at = AppTest.from_function(a_box).run()
    at.button[0].click().run()
    assert at.session_state["taken"] == []


def test_what_is_picked_in_a_widget_is_taken_once() -> None:
    at = AppTest.from_function(a_box).run()
    at.selectbox[0].select("b").run()
    assert at.session_state["taken"] == ["b"]
    at.button[0].click().run()
    assert at.session_state["taken"] == ["b"]
