"""The candidates of each side are those of plain transformers, and so is what each has more after."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from recompute import Recomputed

import llm_tracker as lt
from llm_tracker.analysis.candidates import EVERYTHING_ELSE_ID

Truth = Callable[[lt.Turn], Recomputed]


def require_true(rows: pd.DataFrame, truth: Recomputed, step: int, n_best: int) -> None:
    """Every row has the numbers of plain transformers, the best ones come first, and all is 100 %."""
    logits = truth.logits[truth.first + step]
    probs = logits.softmax(-1)
    known = rows[rows["token_id"] != EVERYTHING_ELSE_ID]
    assert known["token_id"].tolist()[:n_best] == logits.topk(n_best).indices.tolist()
    for row in known.to_dict("records"):
        assert row["logit"] == pytest.approx(logits[row["token_id"]].item(), abs=1e-3)
        assert row["prob"] == pytest.approx(probs[row["token_id"]].item(), abs=1e-5)
        assert row["rank"] == int((logits > logits[row["token_id"]]).sum()) + 1
    assert rows["token_id"].iloc[-1] == EVERYTHING_ELSE_ID
    assert rows["prob"].sum() == pytest.approx(1)


def test_of_one_answer_they_are_those_of_the_token_that_carries_it(session: lt.Session, truth: Truth) -> None:
    figure = lt.figure(session, "candidates", 1)
    turn = session.turns[1]
    assert set(figure.frame["turn"]) == {"before"}
    require_true(figure.frame, truth(turn), turn.answer_step, 5)
    assert int(turn.trace.lens[turn.answer_step].watched["zebra"].token_id) in figure.frame["token_id"].tolist()


@pytest.mark.parametrize("step", [0, 3])
def test_of_a_step_they_are_that_steps(session: lt.Session, truth: Truth, step: int) -> None:
    require_true(lt.figure(session, "candidates", 0, step=step).frame, truth(session.turns[0]), step, 5)


def test_compared_both_answers_and_the_control_are_there_at_their_first_tokens(
    session: lt.Session, truth: Truth
) -> None:
    figure = lt.figure(session, "candidates", 1, 0)
    turns = {"before": session.turns[0], "after": session.turns[1], "again": session.controls[1]}
    assert list(figure.frame["turn"].unique()) == list(turns)
    for name, turn in turns.items():
        require_true(figure.frame[figure.frame["turn"] == name], truth(turn), 0, 10 if name == "again" else 5)


def test_where_steps_are_chosen_the_control_which_has_its_own_stays_away(session: lt.Session, truth: Truth) -> None:
    frame = lt.figure(session, "candidates", 1, 0, step=2, against_step=1).frame
    assert list(frame["turn"].unique()) == ["before", "after"]
    require_true(frame[frame["turn"] == "before"], truth(session.turns[0]), 1, 5)
    require_true(frame[frame["turn"] == "after"], truth(session.turns[1]), 2, 5)


def test_the_control_can_take_the_turns_place(session: lt.Session, truth: Truth) -> None:
    control = session.controls[1]
    require_true(lt.figure(session, "candidates", 1, control=True).frame, truth(control), control.answer_step, 5)
    frame = lt.figure(session, "candidates", 1, 0, control=True).frame
    assert list(frame["turn"].unique()) == ["before", "after"]
    require_true(frame[frame["turn"] == "after"], truth(control), 0, 5)


def test_a_turn_of_another_session_can_stand_before(session: lt.Session, other: lt.Session, truth: Truth) -> None:
    frame = lt.figure(session, "candidates", 0, 0, against_session=other).frame
    require_true(frame[frame["turn"] == "before"], truth(other.turns[0]), 0, 5)
    require_true(frame[frame["turn"] == "after"], truth(session.turns[0]), 0, 5)


def test_a_written_token_beyond_the_best_has_its_row(sampled: lt.Session, truth: Truth) -> None:
    (turn,) = sampled.turns
    step = next(step for step in range(turn.trace.n_steps) if turn.trace.token_ranks[step] > 5)
    frame = lt.figure(sampled, "candidates", step=step, words=[]).frame
    require_true(frame, truth(turn), step, 5)
    assert frame["token_id"].tolist()[5:] == [int(turn.trace.token_ids[step]), EVERYTHING_ELSE_ID]


@pytest.mark.parametrize("against", [0, "other"])
def test_the_difference_is_after_minus_before_where_both_are_known(
    session: lt.Session, other: lt.Session, truth: Truth, against: int | str
) -> None:
    before = other.turns[0] if against == "other" else session.turns[0]
    given, words = (other if against == "other" else None), ["London", "zebra"]
    frame = lt.figure(session, "candidates", 1, 0, against_session=given, difference=True, words=words).frame
    again = truth(session.controls[1])
    merely = again.logits[again.first].softmax(-1)
    one, two = (each.logits[each.first].softmax(-1) for each in (truth(before), truth(session.turns[1])))
    assert EVERYTHING_ELSE_ID not in frame["token_id"].tolist()
    for row in frame.to_dict("records"):
        probs = [one[row["token_id"]].item(), two[row["token_id"]].item()]
        for name, prob in zip(("prob_before", "prob_after"), probs, strict=True):
            assert row[name] != row[name] or row[name] == pytest.approx(prob, abs=1e-5)
        if row["again"] == row["again"]:
            assert row["again"] == pytest.approx(merely[row["token_id"]].item() - probs[0], abs=1e-5)
        if row["prob"] == row["prob"]:
            assert row["prob"] == pytest.approx(probs[1] - probs[0], abs=1e-5)
    both = {*one.topk(5).indices.tolist()} & {*two.topk(5).indices.tolist()}
    watched = {session.turns[1].trace.lens[0].watched[word].token_id for word in ("London", "zebra")}
    assert both | watched <= set(frame["token_id"][frame["prob"].notna()])
    again = set(frame["token_id"][frame["again"].notna()])
    assert not again if against == "other" else watched <= again, "another conversation's answer has no control"
    known = frame["prob"].dropna()
    assert known.is_monotonic_decreasing
    assert frame["prob"].isna().tolist() == sorted(frame["prob"].isna()), "what cannot be compared comes last"
