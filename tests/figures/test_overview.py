"""The overview of a session: each correction beside the answer before it, without anything that is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from thinking import thinking_model
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.tracing import recorder

VIEWS = ["candidates", "layers", "curves", "attention", "heads", "tokens"]


def require_as_single_calls(figures: list[lt.Figure], session: lt.Session, pairs: list[tuple[int, int | None]]) -> None:
    """The views of all pairs of turns, in their order; each of the last pair is what one call gives."""
    wanted = [(view, turn, against) for turn, against in pairs for view in VIEWS]
    assert [figure.view for figure in figures] == [view for view, _, _ in wanted]
    prefix = "Correction {}: " if len(session.turns) > 2 else ""
    for figure, (view, turn, against) in list(zip(figures, wanted, strict=True))[-len(VIEWS) :]:
        own = lt.figure(session, view, turn, against)
        assert figure.frame.equals(own.frame), (view, turn)
        assert (figure.title, figure.sentence) == (prefix.format(turn) + own.title, own.sentence)


@pytest.fixture(scope="module")
def figures(session: lt.Session) -> list[lt.Figure]:
    return lt.overview(session)


def test_of_one_answer_it_is_that_alone(other: lt.Session) -> None:
    figures = lt.overview(other)
    require_as_single_calls(figures, other, [(0, None)])
    assert all(set(figure.frame["turn"]) == {"before"} for figure in figures)


def test_of_several_each_correction_stands_beside_the_answer_before_it(
    session: lt.Session, figures: list[lt.Figure]
) -> None:
    require_as_single_calls(figures, session, [(1, 0), (2, 1)])
    assert {"before", "after", "again"} == set(figures[0].frame["turn"])


def test_without_two_words_that_can_be_told_apart_the_layers_show_a_probability(tiny_llama: lt.LoadedModel) -> None:
    for words in ((), ("zebra", "zebras")):
        read = lt.track(tiny_llama, "Who?", recipe="chat", max_new_tokens=2, watch_words=words)
        drawn = replace(read, watch_words=words)
        layers = next(figure for figure in lt.overview(drawn) if figure.view == "layers")
        assert layers.frame["value"].between(0, 1).all()
        assert len(layers.frame) == 3


def test_a_model_without_attention_has_no_views_of_it() -> None:
    session = lt.track(tiny_model("mamba"), "Who?", ["No."], recipe="chat", max_new_tokens=2)
    assert [figure.view for figure in lt.overview(session)] == ["candidates", "layers", "curves", "tokens"]


def test_an_answer_whose_heads_were_not_kept_has_its_mean_and_no_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    model = thinking_model("opened")
    monkeypatch.setattr(recorder.Recorder.__init__, "__defaults__", (3 * 3 * 4 * 40 * 4,))
    session = lt.track(model, "Why?", recipe="chat", max_new_tokens=2, thinking=True, max_thought_tokens=9)
    (turn,) = session.turns
    assert turn.answer_step >= len(turn.trace.attention)
    assert [figure.view for figure in lt.overview(session)] == [view for view in VIEWS if view != "heads"]


def test_every_chart_is_whole_and_has_its_title_and_its_sentence(figures: list[lt.Figure]) -> None:
    for figure in figures[:6]:
        assert figure.chart.to_dict()["height"] > 0
        assert figure.sentence.endswith(".")
        assert figure.title
