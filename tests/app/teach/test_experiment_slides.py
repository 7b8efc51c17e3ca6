"""The projector's slides of an experiment: what is run, and how much of it can be read from the last row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from experiments import example_experiment
from projecting import begun, on, pressed
from streamlit.testing.v1 import AppTest
from visitor import settled, shown_html, until, visitor

import llm_tracker as lt
from llm_tracker.app.teach import experiment_slides
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.experiments.values.findings import FrozenRoute, Heads, KnockOuts
from llm_tracker.experiments.values.records import experiment_of
from llm_tracker.figures.figure import Figure


def at_its_experiment() -> AppTest:
    at = on(pressed(begun("where-the-correction-travels"), "Uncover the answer"))
    return on(on(pressed(pressed(at, "Correct"), "Uncover the answer")))


def shown(workspace: Workspace) -> TurnRef:
    """The correction that is looked at."""
    return next(each for each in workspace.shown or () if each is not None and each.turn == 1)


def kept(workspace: Workspace) -> lt.Experiment:
    return experiment_of(workspace.sessions[shown(workspace).session].experiments[1])


def test_a_lessons_experiment_is_run_and_shown_in_the_projector(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_slides, "proposed_words", lambda *_: ("Paris", "London"))  # a tiny model writes none
    at = at_its_experiment()
    assert at.title[0].value == "Where the named word travels"
    at = pressed(at, "Find out what it did")
    workspace = visitor(engine)
    at = until(at, lambda: workspace.job is None)
    assert not workspace.errors
    found = kept(workspace)
    assert found.hand_over is not None
    assert found.heads is not None
    assert found.lens is None, "a lesson runs what its slides show"
    assert "Find out what it did" not in [button.label for button in at.button]
    at = on(at)
    assert at.title[0].value == "Which heads carried it"
    assert at.button(key="on").disabled


def test_an_experiment_whose_words_cannot_be_told_says_where_to_name_them(engine: engines.Engine) -> None:
    assert "name them on the Correction page" in shown_html(at_its_experiment())


@pytest.fixture
def long_experiment() -> lt.Experiment:
    """Of a text with more words, and a model with more heads, than a slide has room for."""
    found = example_experiment()
    hidden, carried, heads = found.knock_outs, found.frozen_route, found.heads
    assert isinstance(hidden, KnockOuts)
    assert isinstance(carried, FrozenRoute)
    assert isinstance(heads, Heads)
    sizes = [0.01, -0.2, 0.02, 0.1, *[0.03] * 5, 0.3, -0.04, 0.05, 0.06]
    one, other, head = replace(hidden.words[0], is_segment=False), carried.words[0], heads.shares[0]
    own = [{"text": f"w{at}", "tokens": (at, at + 1)} for at in range(len(sizes))]
    words = [replace(one, **word, delta=size, share=abs(size)) for word, size in zip(own, sizes, strict=True)]
    added = [replace(other, **word, role="user", contribution=-size) for word, size in zip(own, sizes, strict=True)]
    return replace(
        found,
        knock_outs=replace(hidden, words=tuple(words)),
        frozen_route=replace(carried, words=tuple(added), bias=0.5),
        heads=replace(
            heads,
            shares=tuple(replace(head, layer=at, share=share) for at, share in enumerate((0.9, -0.8, 0.7, 0.6, 0.5))),
            random=tuple(replace(head, layer=at, share=share) for at, share in enumerate((0, 0.1, 0, 0, 0, 0.2), 9)),
        ),
    )


def drawn_rows(figure: Figure) -> list[dict[str, Any]]:
    """The rows of a chart's bars, which are the first that it draws."""
    spec = figure.chart.to_dict(validate=False)
    return spec["datasets"][spec["layer"][0]["data"]["name"]]


DRAWN = ["w1", "w3", "w4", "w5", "w9", "w10", "w11", "w12"]
"""Whose hiding changed the lead most, in the order of the text."""


@pytest.mark.parametrize(
    ("view", "drawn"),
    [("hidden", DRAWN), ("looked_at", ["(the rest)", *DRAWN]), ("carried", [*DRAWN, "the model's biases"])],
)
def test_of_many_words_the_same_ones_are_drawn_on_every_slide(
    long_experiment: lt.Experiment, view: str, drawn: list[str]
) -> None:
    figure = experiment_slides.slide_figure(long_experiment, view)
    assert figure is not None
    assert [row["label"] for row in drawn_rows(figure)] == drawn
    assert figure.frame.equals(lt.experiment_figure(long_experiment, view).frame), "no number is lost"
    assert figure.sentence.endswith("Drawn are the 8 words whose hiding changed the lead most.")


def test_the_rest_of_the_attention_is_what_no_word_got_drawn_or_not(long_experiment: lt.Experiment) -> None:
    figure = experiment_slides.slide_figure(long_experiment, "looked_at")
    assert figure is not None
    assert drawn_rows(figure)[0]["value"] == pytest.approx(1 - 0.93)


def test_heads_are_drawn_beside_the_strongest_by_chance(long_experiment: lt.Experiment) -> None:
    figure = experiment_slides.slide_figure(long_experiment, "head_patches")
    assert figure is not None
    assert [row["value"] for row in drawn_rows(figure)] == [0.9, -0.8, 0.7, 0, 0.1, 0.2]
    assert figure.sentence.endswith("Drawn are the 3 longest bars, and the 3 longest by chance.")


def test_what_is_short_is_drawn_as_on_the_correction_page() -> None:
    found = example_experiment()
    figure = experiment_slides.slide_figure(found, "hand_over")
    assert figure is not None
    assert figure.sentence == lt.experiment_figure(found, "hand_over").sentence


def test_an_experiment_that_was_stopped_is_gone_on_with_where_its_part_is_missing(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_slides, "proposed_words", lambda *_: ("Paris", "London"))
    at, workspace = at_its_experiment(), visitor(engine)
    at = until(pressed(at, "Find out what it did"), lambda: workspace.job is None)
    number, whole = shown(workspace).session, kept(workspace)
    half = lt.with_experiment(workspace.sessions[number], replace(whole, heads=None))
    workspace.keep_fuller(number, half)
    at = on(settled(at.run()))
    assert at.title[0].value == "Which heads carried it"
    at = until(pressed(at, "Find out what it did"), lambda: workspace.job is None)
    assert not workspace.errors
    assert kept(workspace).heads == whole.heads
    assert kept(workspace).hand_over is not None, "what was there stays"
