"""The pages that explore where there is nothing usual to compare: no page ends in an error."""

from __future__ import annotations

from dataclasses import replace

import pytest
from explore import ATTENTION, LAYERS, TOKENS, computed, gone_to
from streamlit.testing.v1 import AppTest
from visitor import asked, corrected, opened, reopened, settled, shown_html, told, visitor

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.on_demand import map_of
from llm_tracker.app.work.turn_ref import TurnRef

PAGES = [TOKENS, LAYERS, ATTENTION]


@pytest.fixture
def at(engine: engines.Engine) -> AppTest:
    return told(engine)


@pytest.mark.parametrize("page", PAGES)
def test_an_answer_that_is_compared_with_itself_stands_there_once(at: AppTest, page: str) -> None:
    tab = gone_to(reopened(at, turns="1.1-1.1"), page)
    assert not tab.exception
    assert not any(str(each.key).startswith("arrangement") for each in tab.segmented_control)


@pytest.mark.parametrize("page", PAGES)
def test_what_an_old_address_says_and_no_answer_has_is_passed_over(at: AppTest, page: str) -> None:
    said = {"cell": "99-9999", "layer": "77", "head": "55", "query": "9999", "focus": "zebra", "map-from": "9999"}
    tab = gone_to(reopened(at, turns="1.0-1.1", **said, **{"pattern-from": "9999", "show": "difference"}), page)
    assert not tab.exception


def test_maps_of_raw_texts_have_a_difference(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    at = settled(at.sidebar.radio(key="recipe").set_value("raw").run())
    at = gone_to(corrected(asked(at, "It is"), "and was"), LAYERS)
    at = at.segmented_control(key="arrangement of 4").set_value("difference").run()
    for turn in (0, 1):
        at = computed(engine, at, map_of(TurnRef(1, turn), "resid_post"))
    assert "the largest difference is" in shown_html(at)


def test_of_a_token_whose_heads_were_not_kept_the_page_says_so(engine: engines.Engine, at: AppTest) -> None:
    workspace = visitor(engine)
    session = workspace.sessions[1]
    turn = session.turns[1]
    means = turn.trace.attention.mean(2)
    trace = replace(turn.trace, attention=turn.trace.attention[:1], attention_mean=means)
    workspace.sessions[1] = replace(session, turns=(session.turns[0], replace(turn, trace=trace)))
    tab = gone_to(reopened(at, turns="1.0-1.1", step="0-2"), ATTENTION)
    assert "the heads were kept up to token 1" in shown_html(tab)


def test_the_difference_says_that_asking_again_is_in_it(at: AppTest) -> None:
    tab = at.segmented_control(key="arrangement of 4").set_value("difference").run()
    assert "merely asking again included" in shown_html(tab)


@pytest.mark.parametrize("page", PAGES)
def test_the_stored_example_is_explored_before_anything_was_asked(engine: engines.Engine, page: str) -> None:
    tab = opened(page)
    assert len(tab.get("vega_lite_chart")) > 0
