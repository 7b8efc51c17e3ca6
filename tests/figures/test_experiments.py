"""The views of an experiment: each says what the experiment holds, draws it, and refuses what is not there."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from chart_specs import NASTY_TOKENS, drawn_texts, spec_of, tokens_in_code
from experiments import EXAMPLE, example_experiment

import llm_tracker as lt
from llm_tracker.cli.experiment_text import experiment_text
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.findings import FrozenRoute, HandOver, Heads, KnockOuts, Unavailable
from llm_tracker.figures.correction.causes import attribution_figure
from llm_tracker.figures.correction.views import VIEWS


@pytest.fixture(scope="module")
def session_of_example() -> lt.Session:
    return lt.load_session(EXAMPLE)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_a_valid_chart_with_its_numbers_and_a_sentence(view: str) -> None:
    figure = lt.experiment_figure(example_experiment(), view)
    assert spec_of(figure.chart)["height"] > 0
    assert tokens_in_code(figure.chart) == []
    assert len(figure.frame) > 0
    assert figure.sentence.endswith((".", "”"))
    assert drawn_texts(figure.chart)


@pytest.mark.parametrize("view", ["shift", "margins", "lens_margins", "head_words"])
def test_words_that_look_like_code_are_text_in_every_chart_that_names_them(view: str) -> None:
    words = [text for text in NASTY_TOKENS if len(text) > 5]
    for answer, foil in pairwise(words):
        found = example_experiment()
        case = replace(found.case, answer=f"{answer}a", foil=f"{foil}b")
        assert tokens_in_code(lt.experiment_figure(replace(found, case=case), view).chart) == []


def test_the_curves_are_the_shares_and_the_leads_that_they_stand_for() -> None:
    found = example_experiment()
    path = found.hand_over
    assert isinstance(path, HandOver)
    frame = lt.experiment_figure(found, "hand_over").frame
    slot = frame[frame["group"] == "answer position"]
    assert tuple(slot["share"]) == path.answer_slot
    assert slot["margin"].iloc[0] == pytest.approx(path.margins[1])
    assert slot["margin"].iloc[-1] == pytest.approx(path.margins[0])


def test_the_waterfall_ends_where_the_correction_is() -> None:
    found = example_experiment()
    frame = lt.experiment_figure(found, "shift").frame
    own, baseline = found.score("user"), found.score("baseline")
    assert own is not None
    assert baseline is not None
    steps = frame.set_index("kind")
    assert steps.loc["correction", "end"] == own.margin == steps.loc["after", "end"]
    assert steps.loc["asked again", "start"] == baseline.margin
    assert steps["value"][["first answer", "asked again", "correction"]].sum() == pytest.approx(own.margin)


def test_a_wording_flips_exactly_where_the_other_word_comes_out_ahead() -> None:
    frame = lt.experiment_figure(example_experiment(), "flips").frame
    assert (frame["truth_margin"] > 0).all()
    assert ((frame["margin"] < 0) == frame["flipped"]).all()
    assert ((frame["sensitivity"] > frame["truth_margin"]) == frame["flipped"]).all()


def test_what_is_said_in_the_question_is_held_against_the_question_alone() -> None:
    found = example_experiment()
    again, alone = found.score("asked_again"), found.score("baseline")
    assert again is not None
    assert alone is not None
    frame = lt.experiment_figure(found, "flips").frame
    in_question = frame["condition"].str.startswith("pre_emptive_")
    assert set(frame.loc[in_question, "truth_margin"]) == {alone.margin}
    assert set(frame.loc[~in_question, "truth_margin"]) == {again.margin}


def test_a_text_that_two_conditions_say_counts_once_whatever_batch_it_was_read_in() -> None:
    found = example_experiment()
    apart = (replace(each, score_foil=each.score_foil + at * 1e-6) for at, each in enumerate(found.conditions))
    figure = lt.experiment_figure(replace(found, conditions=tuple(apart)), "flips")
    held = [each for each in found.conditions if each.condition.name not in NOT_HELD]
    distinct = {(each.condition.name.startswith("pre_emptive_"), each.condition.text): each.margin for each in held}
    flipped = sum(margin < 0 for margin in distinct.values())
    assert flipped < len(distinct) < len(held)
    assert f"by {flipped} of {len(distinct)} wordings" in figure.sentence


@pytest.mark.parametrize(
    ("again", "alone", "in_front"), [(-1.0, 5.0, True), (2.0, -0.5, False)], ids=["in the question", "behind"]
)
def test_only_wordings_whose_control_has_a_lead_are_counted(again: float, alone: float, in_front: bool) -> None:
    found = example_experiment()
    leads = {"asked_again": again, "baseline": alone}
    moved = (
        replace(each, score_foil=each.score_answer - leads.get(each.condition.name, each.margin))
        for each in found.conditions
    )
    figure = lt.experiment_figure(replace(found, conditions=tuple(moved)), "flips")
    held = [each for each in found.conditions if each.condition.name not in NOT_HELD]
    counted = {
        each.condition.text: each.margin for each in held if each.condition.name.startswith("pre_emptive_") == in_front
    }
    flipped = sum(margin < 0 for margin in counted.values())
    assert f"by {flipped} of {len(counted)} wordings" in figure.sentence


NOT_HELD = ("asked_again", "baseline", "own_answer_hidden")
"""Conditions that are controls themselves."""


def test_heads_that_cannot_be_told_apart_are_said_to_be_so_and_those_that_were_not_asked_for_are_not() -> None:
    found = example_experiment()
    assert isinstance(found.attributions, tuple)
    whole = tuple(replace(each, heads=(), head_words=(), words=()) for each in found.attributions)
    with pytest.raises(InputError, match="heads cannot be told apart"):
        lt.experiment_figure(replace(found, attributions=whole), "head_words")
    assert "head_words: This model's heads cannot be told apart" in experiment_text(replace(found, attributions=whole))
    assert "head_words" not in experiment_text(replace(found, attributions=None))


def test_controls_alone_flip_nothing() -> None:
    found = example_experiment()
    controls = tuple(each for each in found.conditions if each.condition.name in NOT_HELD)
    with pytest.raises(InputError, match="run without what “flips” draws"):
        lt.experiment_figure(replace(found, conditions=controls), "flips")


def test_attention_shares_and_what_is_parked_are_the_whole() -> None:
    frame = lt.experiment_figure(example_experiment(), "looked_at").frame
    assert frame["value"].sum() == pytest.approx(1.0)
    assert frame["label"].iloc[0] == "(the rest)"


def test_hidden_words_stand_in_reading_order_and_grey_where_attention_is_parked() -> None:
    found = example_experiment().knock_outs
    assert isinstance(found, KnockOuts)
    frame = lt.experiment_figure(example_experiment(), "hidden").frame
    assert frame["start"].is_monotonic_increasing
    assert not frame["grey"].any()
    segments = lt.experiment_figure(example_experiment(), "hidden_segments").frame
    assert segments["grey"].tolist()[0], "the worked examples hold the first token"


def test_what_was_hidden_in_some_layers_says_in_which() -> None:
    found = example_experiment()
    assert isinstance(found.knock_outs, KnockOuts)
    some = replace(found, knock_outs=replace(found.knock_outs, layers=(1, 10)))
    for view in ("hidden", "hidden_segments"):
        assert "from the answer position in layers 1 to 10" in lt.experiment_figure(some, view).sentence
        assert "in layer" not in lt.experiment_figure(found, view).sentence


def test_the_sentence_below_what_each_layer_adds_is_of_the_bars_above_it() -> None:
    said = {}
    for name in ("before", "asked_again", "after", "difference"):
        figure = attribution_figure(example_experiment(), name)
        assert figure is not None
        most = figure.frame.loc[figure.frame["value"].abs().idxmax()]
        assert f"the {most['part']} of layer {most['layer']}" in figure.sentence
        assert f"{most['value']:+.1f} nats".replace("-", "−") in figure.sentence
        said[name] = figure.sentence
    assert len(set(said.values())) == 4


def test_a_model_without_heads_or_a_text_without_words_says_so_below_an_empty_chart() -> None:
    found = example_experiment()
    assert isinstance(found.heads, Heads)
    assert isinstance(found.frozen_route, FrozenRoute)
    none = replace(
        found,
        heads=replace(found.heads, shares=(), random=()),
        frozen_route=replace(found.frozen_route, words=(), bias=0.0),
    )
    heads, carried = (lt.experiment_figure(none, view) for view in ("head_patches", "carried"))
    assert heads.sentence == "This model has no heads that could be replaced."
    assert carried.sentence == "There is no word."
    assert list(heads.frame.columns) == list(lt.experiment_figure(found, "head_patches").frame.columns)
    assert all(figure.frame.empty and spec_of(figure.chart)["height"] > 0 for figure in (heads, carried))


def test_what_cannot_be_had_says_why_and_what_was_not_run_says_so() -> None:
    found = replace(example_experiment(), hand_over=Unavailable("No two tokens line up."), heads=None)
    with pytest.raises(InputError, match="No two tokens line up"):
        lt.experiment_figure(found, "hand_over")
    with pytest.raises(InputError, match="run without what “head_patches” draws"):
        lt.experiment_figure(found, "head_patches")
    with pytest.raises(InputError, match="Choose one of: hand_over"):
        lt.experiment_figure(found, "rollout")


def test_a_report_has_what_the_correction_did(session_of_example: lt.Session) -> None:
    views = [figure.view for figure in lt.overview(session_of_example)]
    assert [view for view in views if view in VIEWS] == list(VIEWS)
    without = replace(session_of_example, experiments={})
    assert not set(VIEWS) & {figure.view for figure in lt.overview(without)}
