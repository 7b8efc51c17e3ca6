"""The Compare page, run as a script: what it offers, what comes of it, what is kept, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import altair as alt
import pytest
from comparing import (
    COMPARE,
    CORRECTION,
    QUESTION,
    TOO_LARGE,
    all_run,
    chosen_models,
    field,
    kept,
    on_compare,
    pressed_run,
    ran,
    run_on,
)
from explore import LAYERS, alts, gone_to
from visitor import headings, opened, reopened, settled, shown_html, told, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.comparing.running import comparing_on
from llm_tracker.app.work.comparing.variants import Variant
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.wording.formats import percent

VIEWS = ["What each says", "The lead by relative depth", "Where each looked", "How each cuts the words"]


def test_before_anything_was_asked_it_offers_the_example_and_says_what_to_do(engine: engines.Engine) -> None:
    at = opened(COMPARE)
    assert not at.exception
    assert "What is the capital of France?" in shown_html(at)
    assert "Nothing has been run yet. Choose further models above, then press the button" in shown_html(at)
    assert "kept in memory, not in the History; the oldest goes where much else is computed." in shown_html(at)
    assert field(at).value == ["embedded"]
    assert headings(at) == []


def test_each_model_has_the_same_conversation_and_every_view_shows_it(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")
    assert headings(at) == VIEWS
    for name, n_layers in (("embedded", 3), ("smollm2", 5)):
        session = kept(engine).runs[Variant(name)].session
        assert [turn.said for turn in session.turns] == [QUESTION, CORRECTION]
        assert session.recipe == visitor(engine).sessions[1].recipe
        assert session.decoding == visitor(engine).sessions[1].decoding
        assert session.model.n_layers == n_layers
        assert 1 in session.controls
    charts = alts(at)
    assert [each.split(".")[0].split(";")[0] for each in charts] == [
        "Lead by relative depth, before",
        "Lead by relative depth, after",
        "Where all of the attention went, after",
        "Attention on your words, after",
    ]
    assert "A is embedded, B is smollm2" in charts[0]
    assert "Both cut the question, the correction" in shown_html(at)


def test_what_the_table_says_is_what_each_model_gives(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")
    html = shown_html(at)
    for name in ("embedded", "smollm2"):
        session = kept(engine).runs[Variant(name)].session
        before, after = (turn.score("London") for turn in session.turns)
        assert before is not None
        assert after is not None
        if max(before.prob, after.prob, session.controls[1].score("London").prob) >= 0.001:  # type: ignore[union-attr]
            assert f"{percent(before.prob)} → {percent(after.prob)}" in html
    model = engine.models.loaded("embedded")
    assert model is not None
    assert html.count(f"✓ read exactly ({len(model.proof.checks)} checks, largest gap") == 2


def test_a_result_stands_when_its_model_was_let_go(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")
    charts = alts(at)
    for name in ("embedded", "smollm2"):
        engine.models.pool.unload(name)
    at = gone_to(reopened(at), COMPARE)
    assert "✓ read exactly" in shown_html(at)
    assert alts(at) == charts
    assert field(at).value == ["embedded", "smollm2"]


def test_a_model_that_cannot_be_had_costs_only_itself(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "tinyllama", "no such <b>model", "mistral-7b", "smollm2")
    html = shown_html(at)
    assert ran(engine) == ["smollm2"]
    assert TOO_LARGE in html
    assert "There is no model “<bdi>no such &lt;b&gt;model</bdi>”." in html
    assert (
        "Mistral-7B-Instruct-v0.3 is not on this machine. Choose it in the sidebar, where its download is offered."
        in html
    )
    assert headings(at) == VIEWS
    assert not at.exception


def test_where_none_could_be_had_the_reasons_stand_and_nothing_is_drawn(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "tinyllama")
    assert headings(at) == ["What each says"]
    assert TOO_LARGE in shown_html(at)


def test_what_was_run_is_not_run_again_and_what_failed_is(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "tinyllama")
    first = kept(engine).runs[Variant("embedded")]
    at = run_on(engine, at, "embedded", "smollm2", "tinyllama")
    assert kept(engine).runs[Variant("embedded")] is first
    assert ran(engine) == ["embedded", "smollm2"]
    assert kept(engine).failures == {Variant("tinyllama"): TOO_LARGE}
    at = chosen_models(at, "smollm2", "embedded")
    (button,) = [each for each in at.button if each.label.startswith("Run it")]
    assert button.disabled
    assert "All of these have been run." in shown_html(at)
    assert "A is smollm2, B is embedded" in alts(at)[0]


def test_a_model_in_another_number_format_stands_beside_itself(engine: engines.Engine) -> None:
    at = on_compare(engine)
    assert [each for each in field(at).options if "embedded" in each or "SmolLM2-135M-Instruct" in each]
    at = run_on(engine, at, "embedded", "bfloat16 embedded")
    html = shown_html(at)
    assert "embedded, bfloat16" in html
    assert "points against float32" in html
    assert "Of embedded, bfloat16 and float32 differ in this lead by at most" in html
    assert [model.dtype for model in engine.models.pool.held()] == ["float32"], "its room is given back"


def test_other_formats_are_offered_of_the_models_that_are_chosen(engine: engines.Engine) -> None:
    def formats(at: object) -> set[str]:
        return {each.rpartition(", ")[2] for each in field(at).options if each.endswith(("16", "32"))}  # type: ignore[arg-type]

    at = on_compare(engine)
    assert formats(at) == {"bfloat16", "float16"}
    at = chosen_models(at, "smollm2")
    own = [each for each in field(at).options if each.startswith("SmolLM2-135M-Instruct (hub), ")]
    assert [each.rpartition(", ")[2] for each in own] == ["float32", "bfloat16", "float16"]


def test_the_number_format_of_the_app_itself_is_no_other_one(engine: engines.Engine) -> None:
    engine.settings = replace(engine.settings, options=replace(engine.settings.options, dtype="float32"))
    at = on_compare(engine)
    assert not [each for each in field(at).options if each.endswith(", float32")]
    at = run_on(engine, at, "embedded", "float32 embedded")
    assert ran(engine) == ["embedded"], "once, and not let go of afterwards"
    assert [model.dtype for model in engine.models.pool.held()] == ["float32"]


def test_a_question_alone_is_compared_without_a_correction(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine, QUESTION, shown=(0, None)), "embedded", "smollm2")
    assert len(alts(at)) == 3
    run = kept(engine, comparing_on(TurnRef(1, 0), None)).runs[Variant("smollm2")]
    assert len(run.session.turns) == 1
    assert "after the correction" not in [each.label for each in at.segmented_control]
    assert not at.exception


def test_the_chosen_answers_of_a_long_conversation_are_the_ones_compared(engine: engines.Engine) -> None:
    at = on_compare(engine, QUESTION, CORRECTION, "No, Oslo.", shown=(0, 2))
    at = run_on(engine, at, "embedded")
    run = kept(engine, comparing_on(TurnRef(1, 2), 0)).runs[Variant("embedded")]
    assert (len(run.session.turns), run.before) == (3, 0)
    assert list(run.session.controls) == [2]


def test_a_word_that_is_typed_is_followed_once_it_is_run_again(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")
    box = next(each for each in at.selectbox if each.label == "over")
    box.options.append("zebra")
    at = settled(box.set_value("zebra").run())
    assert shown_html(at).count("In A and B “<bdi>zebra</bdi>” has not been read") == 1
    assert "“<bdi>zebra</bdi>” at the same places" not in shown_html(at), "no model was asked how it cuts it"
    at = all_run(engine, pressed_run(at))
    assert "has not been read" not in shown_html(at)
    assert all("zebra" in run.session.watch_words for run in kept(engine).runs.values())


def test_two_words_that_are_one_have_no_lead(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "embedded")
    first, second = (next(each for each in at.selectbox if each.label == label) for label in ("Lead of", "over"))
    at = settled(second.set_value(first.value).run())
    assert "Choose two different words above" in shown_html(at)
    assert len(alts(at)) == 2


def test_attention_can_be_looked_at_before_the_correction_too(engine: engines.Engine) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")
    at = settled(at.segmented_control(key="shown segments").set_value("before").run())
    assert [each.split(".")[0] for each in alts(at)[2:]] == [
        "Where all of the attention went, before",
        "Attention on your words, before",
    ]


def test_a_rerun_that_changes_nothing_builds_no_chart(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = run_on(engine, on_compare(engine), "embedded", "smollm2")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a chart was built")

    monkeypatch.setattr(alt.LayerChart, "to_dict", refuse)
    at = settled(at.run())
    assert len(alts(at)) == 4


def test_models_that_were_chosen_are_still_chosen_after_another_page(engine: engines.Engine) -> None:
    at = chosen_models(on_compare(engine), "smollm2", "a/typed one")
    at = gone_to(gone_to(at, LAYERS), COMPARE)
    assert field(at).value == ["smollm2", "a/typed one"]


def test_the_word_of_another_conversation_is_not_taken_for_this_ones(engine: engines.Engine) -> None:
    at = on_compare(engine)
    page = reopened(at, over="zebra")
    page = gone_to(page, COMPARE)
    assert next(each.value for each in page.selectbox if each.label == "over") == "London"


def test_a_conversation_of_a_model_that_is_not_here_can_be_had_on_others(engine: engines.Engine) -> None:
    at = told(engine, "")
    session = visitor(engine).sessions[1]
    visitor(engine).sessions[1] = of_model(session, "mistral-7b")
    at = gone_to(at, COMPARE)
    assert field(at).value == []
    at = run_on(engine, at, "smollm2")
    assert len(alts(at)) == 3


def of_model(session: lt.Session, model_id: str) -> lt.Session:
    """The same session by a model of another id."""
    return replace(session, model=replace(session.model, id=model_id, title=model_id))
