"""One call for every view: what it takes, and what it refuses with a sentence that says what there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chart_specs import of_kind
from tiny_models import loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.figures.views import NEED_THE_MODEL, VIEWS, sides_for

MODEL = object()
"""Stands for the model, where the call is refused before it is looked at."""


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_its_name_and_whose_its_rows_are_and_can_be_drawn(
    session: lt.Session, tiny_llama: lt.LoadedModel, view: str
) -> None:
    model = tiny_llama if view in NEED_THE_MODEL else None
    for figure in (lt.figure(session, view, model=model), lt.figure(session, view, 1, 0, model=model)):
        assert figure.view == view
        assert set(figure.frame["turn"]) <= {"before", "after", "again", "sampled"}
        assert figure.sentence.endswith(".")
        figure.chart.to_dict()
    if view == "samples":
        with pytest.raises(lt.InputError, match="Sampled answers are of one question"):
            lt.figure(session, view, 1, 0, difference=True, model=model)
        return
    difference = lt.figure(session, view, 1, 0, difference=True, model=model)
    drawn = {"difference", "again"} if view in ("layers", "curves") else {"difference"}
    assert set(difference.frame["turn"]) == drawn
    assert "after minus before" in difference.title


@pytest.mark.parametrize("view", ["tokens", "map"])
def test_turns_are_counted_from_either_end(session: lt.Session, tiny_llama: lt.LoadedModel, view: str) -> None:
    model = tiny_llama if view in NEED_THE_MODEL else None
    one = lt.figure(session, view, 2, 0, model=model).frame
    assert lt.figure(session, view, -1, -3, model=model).frame.equals(one)


@pytest.mark.parametrize(
    ("view", "options", "said"),
    [
        ("nothing", {}, "There is no view “nothing”. Choose one of: candidates, layers, attention"),
        ("tokens", {"turn": 3}, "There is no turn 3: the session has turns 0 to 2."),
        ("tokens", {"turn": -4}, "There is no turn -4"),
        ("tokens", {"against": 9}, "There is no turn 9"),
        ("tokens", {"step": 4}, "There is no step 4: this answer has steps 0 to 3."),
        ("tokens", {"step": -1}, "There is no step -1"),
        ("tokens", {"against": 0, "against_step": 4}, "There is no step 4"),
        ("tokens", {"turn": 0, "control": True}, "The first answer has no control"),
        ("tokens", {"measure": "rank"}, "There is no measure “rank” here. Choose one of: prob, entropy_nats."),
        ("curves", {"measure": "lead"}, "There is no measure “lead” here. Choose one of: prob, logit, rank."),
        ("layers", {"measure": "logit"}, "There is no measure “logit” here. Choose one of: lead, prob, rank."),
        ("heads", {"measure": "mean"}, "There is no measure “mean” here. Choose one of: words, parked, entropy, max."),
        ("layers", {"words": ["London"]}, "A lead is of one word over another: give two with words="),
        ("layers", {"words": []}, "A lead is of one word over another"),
        ("layers", {"words": [], "over": "London"}, "A lead is of one word over another"),
        ("map", {}, "The view “map” reads the text once more: give it the model"),
        ("pattern", {}, "The view “pattern” reads the text once more: give it the model"),
        ("heads", {"weighed": True}, "The view “heads” reads the text once more: give it the model"),
        ("map", {"site": "resid_pre", "model": MODEL}, "There is no site “resid_pre”. Choose one of: resid_post"),
        ("pattern", {"by": "letter", "model": MODEL}, "There is no pattern by “letter”. Choose one of: word, token."),
        ("tokens", {"compare_at": "last"}, "There is no place to compare at “last”. Choose one of: first, answer."),
        ("tokens", {"against_session": MODEL}, "A difference, a step of the answer before, or another session is of"),
        (
            "tokens",
            {"difference": True},
            "A difference, a step of the answer before, or another session is of two answers: say",
        ),
        ("candidates", {"difference": True, "control": True, "turn": 1}, "A difference, a step of the answer"),
        ("candidates", {"against_step": 0}, "A difference, a step of the answer before, or another session"),
    ],
)
def test_what_is_not_there_is_refused_and_what_there_is_is_said(
    session: lt.Session, view: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(lt.InputError) as refused:
        lt.figure(session, view, **options)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer": 0}, "There is no layer 0: this model has layers 1 to 3."),
        ({"layer": 4}, "There is no layer 4"),
        ({"head": 0}, "There is no head 0: layer 3 has heads 1 to 4."),
        ({"head": 5, "layer": 2}, "There is no head 5: layer 2 has heads 1 to 4."),
    ],
)
def test_a_head_whose_pattern_cannot_be_read_is_refused(
    session: lt.Session, tiny_llama: lt.LoadedModel, options: dict[str, int], said: str
) -> None:
    with pytest.raises(lt.InputError) as refused:
        lt.figure(session, "pattern", model=tiny_llama, **options)  # type: ignore[arg-type]
    assert str(refused.value).startswith(said)


def test_a_word_by_itself_is_no_list_of_letters(session: lt.Session) -> None:
    alone = lt.figure(session, "candidates", words="zebra").frame
    assert alone.equals(lt.figure(session, "candidates", words=["zebra"]).frame)


def test_a_word_without_tokens_is_refused_where_the_text_is_read(
    session: lt.Session, tiny_llama: lt.LoadedModel
) -> None:
    with pytest.raises(lt.InputError, match="cannot be watched"):
        lt.figure(session, "map", words=[" "], model=tiny_llama)


def test_the_sides_of_a_view_are_its_turns_at_their_steps_and_the_control_where_it_belongs(
    session: lt.Session, other: lt.Session
) -> None:
    def told(*given: Any, **options: Any) -> list[tuple[str, lt.Turn, int]]:
        return [(side.name, side.turn, side.step) for side in sides_for(session, *given, **options)]

    first, second, third = session.turns
    assert told(1, None) == [("before", second, second.answer_step)]
    assert told(1, None, 3) == [("before", second, 3)]
    assert told(1, 0) == [("before", first, 0), ("after", second, 0), ("again", session.controls[1], 0)]
    assert told(2, 1, 2) == [("before", second, 0), ("after", third, 2)]
    assert told(2, 1, None, 3) == [("before", second, 3), ("after", third, 0)]
    assert told(0, 1) == [("before", second, 0), ("after", first, 0)]
    assert told(1, None, control=True) == [("before", session.controls[1], session.controls[1].answer_step)]
    assert told(2, 0, control=True) == [("before", first, 0), ("after", session.controls[2], 0)]
    assert told(0, 0, other=other) == [("before", other.turns[0], 0), ("after", first, 0)]


def test_at_the_answers_own_tokens_the_control_stands_at_its_own(session: lt.Session) -> None:
    later = [replace(turn, answer_step=step) for turn, step in zip(session.turns, (1, 2, 3), strict=True)]
    controls = {1: replace(session.controls[1], answer_step=3)}
    moved = replace(session, turns=tuple(later), controls=controls)
    sides = sides_for(moved, 1, 0, compare_at="answer")
    assert [(side.name, side.step) for side in sides] == [("before", 1), ("after", 2), ("again", 3)]
    frame = lt.figure(moved, "candidates", 1, 0, compare_at="answer").frame
    assert set(frame["turn"]) == {"before", "after", "again"}


def test_of_two_models_each_has_its_name_and_its_own_layer_and_nothing_is_their_difference(session: lt.Session) -> None:
    deep = lt.track(loaded(tiny_network("qwen3", num_hidden_layers=5)), "Is it Paris?", recipe="chat", max_new_tokens=2)
    deep = replace(deep, model=replace(deep.model, id="deep", title="Deep"))
    sides = sides_for(session, 0, 0, other=deep)
    assert [(side.name, side.model) for side in sides] == [("before", "Deep"), ("after", session.model.title)]
    frame = lt.figure(session, "attention", 0, 0, against_session=deep, layer=1, against_layer=5, against_head=2).frame
    before, after = (frame["share"][frame["turn"] == name].sum() for name in ("before", "after"))
    assert (before, after) == pytest.approx((1, 1), abs=1e-5)
    words = frame[(frame["turn"] == "before") & (frame["role"] == "user")]
    row = deep.turns[0].trace.attention[0, 4, 1]
    assert words["share"].tolist() == pytest.approx(
        [row[start:end].sum() for start, end in zip(words["start"], words["end"], strict=True)], abs=1e-6
    )
    stateful = lt.track(loaded(tiny_network("mamba")), "Is it Paris?", recipe="chat", max_new_tokens=2)
    stateful = replace(stateful, model=replace(stateful.model, id="stateful", title="Stateful"))
    alone = lt.figure(session, "attention", 0, 0, against_session=stateful).frame
    assert set(alone["turn"]) == {"after"}, "a model without attention is left out"
    with pytest.raises(lt.InputError, match="of two models: they have no difference"):
        lt.figure(session, "candidates", 0, 0, against_session=deep, difference=True)


def test_a_model_with_other_weights_is_refused(session: lt.Session) -> None:
    with pytest.raises(lt.OtherWeightsError):
        lt.figure(session, "map", model=tiny_model("mistral"))


@pytest.mark.parametrize(
    ("view", "options"),
    [("heads", {"measure": "max"}), ("curves", {"measure": "logit"}), ("map", {"shows": "kl_nats"})],
)
def test_figures_that_stand_beside_each_other_can_have_one_scale(
    session: lt.Session, tiny_llama: lt.LoadedModel, view: str, options: dict[str, Any]
) -> None:
    model = tiny_llama if view in NEED_THE_MODEL else None
    chart = lt.figure(session, view, 1, limits=(-3.5, 77.25), model=model, **options).chart
    assert '"domain": [-3.5, 77.25]' in chart.to_json(indent=None)


def test_what_was_clicked_is_outlined(session: lt.Session, tiny_llama: lt.LoadedModel) -> None:
    for view, options, outlined in (
        ("map", {"cell": (2, 5), "first": 0}, {"layer": 2, "position": 5}),
        ("pattern", {"query": 3, "first": 0}, {"query": 3}),
        ("heads", {"layer": 2, "head": 1, "measure": "max"}, {"layer": 2, "head": 1}),
    ):
        model = tiny_llama if view in NEED_THE_MODEL else None
        chart = lt.figure(session, view, 1, model=model, **options).chart  # type: ignore[arg-type]
        rows = [row for mark in of_kind(chart, "rect") if mark.look.get("filled") is False for row in mark.rows]
        assert rows == [outlined]


@pytest.mark.parametrize(
    ("view", "options", "said"),
    [
        ("map", {"cell": (4, 0)}, "There is no cell (4, 0): the map has layers 1 to 3"),
        ("map", {"cell": (1, -1)}, "There is no cell (1, -1)"),
        ("map", {"cell": (1, 999)}, "There is no cell (1, 999)"),
        ("map", {"shows": "next_rank", "limits": (0, 5)}, "Ranks begin at 1"),
        ("pattern", {"query": 999}, "There is no place 999: the pattern has places 0 to"),
        ("pattern", {"query": -1}, "There is no place -1"),
        ("pattern", {"query": 1, "difference": True, "against": 0}, "A cell, a query and limits are of"),
        (
            "curves",
            {"limits": (0, 1), "difference": True, "against": 0},
            "A cell, a query and limits are of one answer",
        ),
    ],
)
def test_what_cannot_be_outlined_or_scaled_is_refused(
    session: lt.Session, tiny_llama: lt.LoadedModel, view: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(lt.InputError) as refused:
        lt.figure(session, view, 1, model=tiny_llama, **options)
    assert str(refused.value).startswith(said)


def test_a_word_with_rank_in_it_is_no_rank(tiny_llama: lt.LoadedModel) -> None:
    session = lt.track(tiny_llama, "Who?", recipe="chat", max_new_tokens=1, watch_words=["Frankfurt", "zebra"])
    shown = {}
    for shows in ("prob of Frankfurt", "logit of Frankfurt", "lead of Frankfurt over zebra", "rank of Frankfurt"):
        chart = lt.figure(session, "map", shows=shows, model=tiny_llama).chart
        (cells, *_) = (mark for mark in of_kind(chart, "rect") if "opacity" in mark.encoding)
        shown[shows] = cells.encoding["opacity"]["scale"].get("type") == "log"
    assert list(shown.values()) == [False, False, False, True]
