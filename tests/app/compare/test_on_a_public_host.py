"""The Compare page on a host that strangers share: only what it offers, in one format, and no more than is allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparing import chosen_models, field, kept, on_compare, pressed_run, ran, run_on
from explore import alts
from visitor import headings, shown_html, until, visitor

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.comparing.running import begin_comparing, comparing_on
from llm_tracker.app.work.comparing.variants import Variant
from llm_tracker.app.work.limits import PUBLIC, Pace
from llm_tracker.app.work.turn_ref import TurnRef


@pytest.fixture(autouse=True)
def public(engine: engines.Engine) -> None:
    engine.limits = PUBLIC
    engine.settings = replace(engine.settings, public=True)
    engine.models.offered = ("embedded", "smollm2")


def test_only_what_is_offered_can_be_picked_and_in_one_format(engine: engines.Engine) -> None:
    at = on_compare(engine)
    assert field(at).options == ["SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct (hub)"]
    assert not field(at).proto.accept_new_options
    at = run_on(engine, at, "embedded", "smollm2")
    assert ran(engine) == ["embedded", "smollm2"]
    assert len(headings(at)) == 4


def test_what_is_not_offered_is_refused_whatever_a_browser_sends(engine: engines.Engine) -> None:
    on_compare(engine)
    workspace = visitor(engine)
    wanted = [Variant("tinyllama"), Variant("/etc"), Variant("embedded", "bfloat16")]
    begin_comparing(engine, workspace, comparing_on(TurnRef(1, 1), 0), wanted, [])
    assert workspace.job is None
    assert ran(engine) == []
    said = kept(engine).failures
    assert "offers these models only: embedded, smollm2" in said[wanted[0]]
    assert "offers these models only: embedded, smollm2" in said[wanted[1]]
    assert said[wanted[2]] == "This host is shared, and has its models in one number format only."


def test_each_model_counts_as_a_question(engine: engines.Engine) -> None:
    engine.pace = Pace(1)
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")
    assert ran(engine) == ["embedded"]
    assert "This host takes" in kept(engine).failures[Variant("smollm2")]
    assert len(alts(at)) == 4


def test_a_conversation_that_is_too_long_here_begins_nothing(engine: engines.Engine) -> None:
    engine.limits = replace(PUBLIC, prompt_tokens=10)
    at = run_on(engine, on_compare(engine), "embedded")
    assert "here it goes on up to 10" in shown_html(at)
    assert ran(engine) == []


def test_an_answer_has_no_more_tokens_than_are_allowed_here(engine: engines.Engine) -> None:
    at = on_compare(engine)
    session = visitor(engine).sessions[1]
    visitor(engine).sessions[1] = replace(session, decoding=replace(session.decoding, max_new_tokens=999))
    until(pressed_run(chosen_models(at, "smollm2")), lambda: ran(engine) == ["smollm2"])
    assert kept(engine).runs[Variant("smollm2")].session.decoding.max_new_tokens == PUBLIC.answer_tokens


def test_a_word_that_is_too_long_begins_nothing(engine: engines.Engine) -> None:
    on_compare(engine)
    workspace = visitor(engine)
    begin_comparing(engine, workspace, comparing_on(TurnRef(1, 1), 0), [Variant("embedded")], ["a" * 1001])
    assert workspace.job is None
    assert "at most 1,000 are taken here" in kept(engine).failures[Variant("embedded")]
