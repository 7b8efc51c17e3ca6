"""One call for every view: what it takes, and what it refuses with a sentence that says what there is."""

from __future__ import annotations

from typing import Any

import pytest

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
        assert set(figure.frame["turn"]) <= {"before", "after", "again"}
        assert figure.sentence.endswith(".")
        figure.chart.to_dict()
    if view != "pattern":
        difference = lt.figure(session, view, 1, 0, difference=True, model=model)
        assert set(difference.frame["turn"]) == {"difference"}
        assert difference.title.endswith("after minus before")


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
        ("pattern", {"against": 0, "difference": True, "model": MODEL}, "A pattern is of one answer"),
        ("tokens", {"difference": True}, "A difference, or a step of the answer before, is of two answers: say which"),
        ("candidates", {"difference": True, "control": True, "turn": 1}, "A difference, or a step of the answer"),
        ("candidates", {"against_step": 0}, "A difference, or a step of the answer before, is of two answers"),
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
    assert told(0, other.turns[0]) == [("before", other.turns[0], 0), ("after", first, 0)]
