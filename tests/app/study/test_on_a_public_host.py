"""The Study page on a host that strangers share: few questions, one wording, and no look inside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from studying import on_study, pressed, run_study, said_in_red, typed
from visitor import Loader, headings, settled, shown_html, visitor

from llm_tracker.app.work import engine as engines


@pytest.fixture
def engine(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> Iterator[engines.Engine]:
    """A shared host's engine."""
    monkeypatch.setenv("LLM_TRACKER_PUBLIC", "1")
    st.cache_resource.clear()
    yield engines.the_engine(engines.Engine(loader))
    st.cache_resource.clear()


def test_it_says_what_is_taken_here_and_offers_no_more(engine: engines.Engine) -> None:
    at = on_study(engine)
    assert "This host is shared: at most 20 questions" in shown_html(at)
    assert not [each for each in at.toggle if each.key in ("study chain", "study inside")]
    assert at.multiselect(key="study conditions").proto.max_selections == 6


def test_more_questions_than_that_are_refused_and_stay_in_their_field(engine: engines.Engine) -> None:
    text = "\n".join(f"Is it {n}?, Yes, No" for n in range(21))
    at = settled(pressed(typed(on_study(engine), text), "run study"))
    assert "There are 21 questions. This host is shared, and takes 20 at most" in said_in_red(at)
    assert at.text_area(key="study questions").value == text
    assert visitor(engine).job is None


def test_what_is_within_its_bounds_is_run(engine: engines.Engine) -> None:
    at = run_study(engine, on_study(engine))
    assert "Before and after" in headings(at)


def test_a_question_longer_than_any_that_may_be_asked_here_is_refused(engine: engines.Engine) -> None:
    at = run_study(engine, on_study(engine), f"{'why ' * 300}?, Yes, No")
    assert "at most 1,000 are taken here" in said_in_red(at)


def test_nobody_is_offered_the_study_of_a_stranger(engine: engines.Engine) -> None:
    run_study(engine, on_study(engine))
    stranger = on_study(engine)
    assert "Nothing has been run yet" in shown_html(stranger)
    assert "open study of another tab" not in [each.key for each in stranger.button]
