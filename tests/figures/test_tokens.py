"""Every token has the probability, the entropy and the rival of plain transformers, and so have the differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pandas as pd
import pytest
import torch
from recompute import Recomputed
from thinking import thinking_model

import llm_tracker as lt
from llm_tracker.analysis.tokens import TokenMeasure
from llm_tracker.conversation.turns import begin_session, stream_turn
from llm_tracker.progress import ended

Truth = Callable[[lt.Turn], Recomputed]
MEASURES = get_args(TokenMeasure)


def numbers_of(turn: lt.Turn, truth: Recomputed) -> pd.DataFrame:
    """Of each token: probability, logit, rank, the entropy of its prediction in nats, and its likeliest rival."""
    ids = torch.tensor(turn.trace.token_ids.copy())
    logits = truth.logits[truth.first : truth.first + len(ids)]
    log_probs = logits.log_softmax(-1)
    own = logits.gather(-1, ids[:, None])
    without = log_probs.exp().scatter(-1, ids[:, None], 0)
    return pd.DataFrame(
        {
            "prob": log_probs.exp().gather(-1, ids[:, None])[:, 0],
            "logit": own[:, 0],
            "rank": (logits > own).sum(-1) + 1,
            "entropy_nats": -(log_probs.exp() * log_probs).sum(-1),
            "rival_prob": without.max(-1).values,
        }
    )


def require_true(frame: pd.DataFrame, turn: lt.Turn, truth: Recomputed) -> None:
    wanted = numbers_of(turn, truth)
    for name in wanted:
        assert frame[name].tolist() == pytest.approx(wanted[name].tolist(), abs=1e-3 if name == "logit" else 1e-4)
    assert frame["token"].tolist() == list(turn.trace.tokens)
    assert frame["number"].tolist() == list(range(1, turn.trace.n_steps + 1))


def test_every_token_of_both_answers_has_its_numbers(session: lt.Session, truth: Truth) -> None:
    frame = lt.figure(session, "tokens", 1, 0).frame
    assert list(frame["turn"].unique()) == ["before", "after"], "the control has no bars"
    require_true(frame[frame["turn"] == "before"], session.turns[0], truth(session.turns[0]))
    require_true(frame[frame["turn"] == "after"], session.turns[1], truth(session.turns[1]))


def test_sampled_tokens_have_the_ranks_that_they_had(sampled: lt.Session, truth: Truth) -> None:
    frame = lt.figure(sampled, "tokens").frame
    require_true(frame, sampled.turns[0], truth(sampled.turns[0]))
    assert frame["rank"].max() > 1


def test_the_control_can_take_the_turns_place(session: lt.Session, truth: Truth) -> None:
    frame = lt.figure(session, "tokens", 1, control=True).frame
    require_true(frame, session.controls[1], truth(session.controls[1]))


@pytest.mark.parametrize("of_another", [False, True])
def test_the_difference_is_place_by_place(
    session: lt.Session, other: lt.Session, truth: Truth, of_another: bool
) -> None:
    before = other.turns[0] if of_another else session.turns[0]
    frame = lt.figure(session, "tokens", 1, 0, against_session=other if of_another else None, difference=True).frame
    one, two = (numbers_of(turn, truth(turn)) for turn in (before, session.turns[1]))
    both = min(len(one), len(two))
    assert frame["number"].tolist() == list(range(1, max(len(one), len(two)) + 1))
    for name in MEASURES:
        wanted = (two[name][:both] - one[name][:both]).tolist()
        assert frame[name].tolist()[:both] == pytest.approx(wanted, abs=1e-4)
        assert frame[name][both:].isna().all()
    assert frame["token_before"].tolist()[: len(one)] == list(before.trace.tokens)
    assert frame["token_after"].tolist()[: len(two)] == list(session.turns[1].trace.tokens)


@pytest.mark.parametrize("measure", MEASURES)
def test_where_one_answer_is_shorter_its_places_are_empty(
    session: lt.Session, tiny_llama: lt.LoadedModel, measure: TokenMeasure
) -> None:
    short = lt.track(tiny_llama, "Who?", recipe="chat", max_new_tokens=1)
    figure = lt.figure(session, "tokens", 0, 0, against_session=short, difference=True, measure=measure)
    assert figure.frame["token_before"].tolist() == [short.turns[0].trace.tokens[0], "", "", ""]
    assert figure.frame[measure].notna().tolist() == [True, False, False, False]
    figure.chart.to_dict()


@pytest.mark.parametrize("measure", MEASURES)
def test_the_sentence_is_of_what_the_bars_show(session: lt.Session, measure: TokenMeasure) -> None:
    figure = lt.figure(session, "tokens", 1, measure=measure)
    difference = lt.figure(session, "tokens", 1, 0, measure=measure, difference=True)
    for each in (figure, difference):
        assert ("entropy" in each.sentence) == (measure == "entropy_nats")
    values = figure.frame[measure]
    told = figure.frame["token"].iloc[int(values.argmin() if measure == "prob" else values.argmax())]
    assert f"“{told.strip()}" in figure.sentence.replace("·", "")


@pytest.fixture(scope="module")
def thinking() -> lt.Session:
    """An answer behind a thought."""
    return lt.track(
        thinking_model("opened"), "Why?", recipe="chat", max_new_tokens=3, thinking=True, max_thought_tokens=4
    )


def test_a_thought_has_no_bars(thinking: lt.Session) -> None:
    (turn,) = thinking.turns
    frame = lt.figure(thinking, "tokens").frame
    assert set(frame["phase"]) == {"answer"}
    assert frame["step"].tolist() == list(turn.answer_steps)
    assert frame["number"].tolist() == [1, 2, 3]
    assert len(lt.tokens_frame(turn)) == turn.trace.n_steps


@pytest.mark.parametrize("measure", MEASURES)
def test_where_no_answer_came_there_are_no_bars_and_that_is_said(measure: TokenMeasure) -> None:
    model = thinking_model("opened")
    begun = begin_session(model, "chat", lt.Decoding(3, max_thought_tokens=6), thinking=True)
    count = iter(range(99))
    session = ended(stream_turn(model, begun, "Why?", stop=lambda: next(count) > 5))
    assert not session.turns[0].has_answer
    for figure in (
        lt.figure(session, "tokens", measure=measure),
        lt.figure(session, "tokens", 0, 0, difference=True, measure=measure),
    ):
        assert figure.frame.empty
        figure.chart.to_dict()
    assert lt.figure(session, "tokens", measure=measure).sentence == "No answer came."


def test_a_session_of_an_earlier_version_has_no_entropies(session: lt.Session) -> None:
    old = session.with_traces(lambda turn: replace(turn.trace, entropies=None))
    figure = lt.figure(old, "tokens", 1, measure="entropy_nats")
    assert figure.frame["entropy_nats"].isna().all()
    assert figure.sentence == "The entropies of this answer were not kept."
    difference = lt.figure(old, "tokens", 1, 0, measure="entropy_nats", difference=True)
    assert difference.frame["entropy_nats"].isna().all()
    for each in (figure, difference):
        each.chart.to_dict()
