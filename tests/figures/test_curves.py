"""Curves are the words and the leading tokens of plain transformers' own read-outs, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from recompute import Recomputed

import llm_tracker as lt

Truth = Callable[[lt.Turn], Recomputed]


def test_words_and_leading_tokens_have_their_values_at_every_layer(session: lt.Session, truth: Truth) -> None:
    turn = session.turns[1]
    frame = lt.figure(session, "curves", 1, words=["London", "zebra"]).frame
    step = turn.answer_step
    logits = truth(turn).lens_logits(step)
    probs = logits.softmax(-1)
    for token_id in frame["token_id"].unique().tolist():
        line = frame[frame["token_id"] == token_id]
        assert line["layer"].tolist() == [1, 2, 3]
        assert line["prob"].tolist() == pytest.approx(probs[:, token_id].tolist(), abs=1e-5)
        if line["kind"].iloc[0] != "written":
            assert line["logit"].tolist() == pytest.approx(logits[:, token_id].tolist(), abs=1e-3)
        if line["kind"].iloc[0] == "word":
            ranks = (logits > logits[:, [token_id]]).sum(-1) + 1
            assert line["rank"].tolist() == ranks.tolist()
    watched = [turn.trace.lens[step].watched[word].token_id for word in ("London", "zebra")]
    assert frame["token_id"][frame["kind"] == "word"].unique().tolist() == watched
    first = list(dict.fromkeys(logits.argmax(-1).tolist()[::-1]))
    leading = frame["token_id"][frame["kind"] == "leading"].unique().tolist()
    own = int(turn.trace.token_ids[step])
    assert leading == [each for each in first if each not in (*watched, own)], "the last layer's first"
    assert own in watched or frame["token_id"][frame["kind"] == "written"].unique().tolist() == [own]
    assert set(frame["turn"]) == {"before"}


def test_a_sampled_token_that_leads_nowhere_has_a_line_of_its_own(sampled: lt.Session, truth: Truth) -> None:
    (turn,) = sampled.turns
    heads = [set(truth(turn).lens_logits(step).argmax(-1).tolist()) for step in range(turn.trace.n_steps)]
    step = next(step for step, best in enumerate(heads) if int(turn.trace.token_ids[step]) not in best)
    frame = lt.figure(sampled, "curves", step=step, words=[]).frame
    written = frame[frame["kind"] == "written"]
    logits, own = truth(turn).lens_logits(step), int(turn.trace.token_ids[step])
    assert set(written["token_id"]) == {own}
    assert written["prob"].tolist() == pytest.approx(logits.softmax(-1)[:, own].tolist(), abs=1e-5)
    assert written["rank"].tolist() == ((logits > logits[:, [own]]).sum(-1) + 1).tolist()
    assert set(frame["token_id"][frame["kind"] == "leading"]) == heads[step]


def test_no_token_has_two_lines(session: lt.Session) -> None:
    best = session.turns[1].trace.tokens[0]
    frame = lt.figure(session, "curves", 1, step=0, words=["London", "London", best.strip()]).frame
    assert not frame.duplicated(["token_id", "layer"]).any()


def test_against_another_turn_the_later_one_is_drawn(session: lt.Session) -> None:
    at_first = lt.figure(session, "curves", 1, step=0).frame
    compared = lt.figure(session, "curves", 1, 0).frame
    assert compared.drop(columns="turn").equals(at_first.drop(columns="turn"))
    assert set(compared["turn"]) == {"after"}


@pytest.mark.parametrize("of_another", [False, True])
def test_the_difference_is_after_minus_before(
    session: lt.Session, other: lt.Session, truth: Truth, of_another: bool
) -> None:
    before = other.turns[0] if of_another else session.turns[0]
    words, against = ["London", "Oslo", "zebra"], other if of_another else None
    frame = lt.figure(session, "curves", 1, 0, against_session=against, difference=True, words=words).frame
    assert frame["line"].unique().tolist() == ["London", "zebra"], "Oslo was read on neither side"
    later = {"difference": session.turns[1], "again": session.controls[1]}
    assert set(frame["turn"]) == ({"difference"} if of_another else set(later))
    for (name, word), line in frame.groupby(["turn", "line"]):
        sides = []
        for turn in (before, later[str(name)]):
            token_id = turn.trace.lens[0].watched[str(word)].token_id
            logits = truth(turn).lens_logits(0)
            sides.append(
                (logits[:, token_id], logits.softmax(-1)[:, token_id], (logits > logits[:, [token_id]]).sum(-1))
            )
        for column, one, two in zip(("logit", "prob", "rank"), *sides, strict=True):
            assert line[column].tolist() == pytest.approx((two - one).tolist(), abs=1e-3)


@pytest.mark.parametrize("measure", ["prob", "logit", "rank"])
def test_a_step_that_was_not_read_is_an_empty_chart_and_is_said(session: lt.Session, measure: str) -> None:
    turn = replace(session.turns[0], trace=replace(session.turns[0].trace, lens={}))
    figure = lt.figure(replace(session, turns=(turn,), controls={}), "curves", measure=measure)
    assert figure.frame.empty
    assert figure.sentence == "This token's layers have not been read."
    figure.chart.to_dict()


def test_by_rank_the_written_token_is_drawn_alone(session: lt.Session) -> None:
    figure = lt.figure(session, "curves", 0, words=[], measure="rank")
    assert set(figure.frame["kind"][figure.frame["rank"].notna()]) == {"written"}, "of leading tokens no rank was kept"
    figure.chart.to_dict()


def test_words_that_begin_with_the_same_token_have_one_line(tiny_llama: lt.LoadedModel) -> None:
    session = lt.track(tiny_llama, "Who?", recipe="chat", max_new_tokens=1, watch_words=["zebra", "zebu", "Paris"])
    frame = lt.figure(session, "curves").frame
    assert list(dict.fromkeys(frame["line"][frame["kind"] == "word"]))[:2] == ["zebra / zebu", "Paris"]
    difference = lt.figure(session, "curves", 0, 0, difference=True).frame
    assert list(dict.fromkeys(difference["line"]))[:2] == ["zebra / zebu", "Paris"]
