"""A word through the layers is what plain transformers' own tail makes of each layer, and so is its difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from recompute import Recomputed

import llm_tracker as lt
from llm_tracker.analysis.layers import LayerMeasure

Truth = Callable[[lt.Turn], Recomputed]
MEASURES = get_args(LayerMeasure)


def expected(turn: lt.Turn, truth: Recomputed, measure: str, word: str, over: str, step: int = 0) -> list[float]:
    """A measure by layer, from the read-out of every layer."""
    logits = truth.lens_logits(step)
    watched = turn.trace.lens[step].watched
    own = logits[:, watched[word].token_id]
    if measure == "lead":
        return (own - logits[:, watched[over].token_id]).tolist()
    if measure == "prob":
        return logits.softmax(-1)[:, watched[word].token_id].tolist()
    return ((logits > own[:, None]).sum(-1) + 1).tolist()


@pytest.mark.parametrize("measure", MEASURES)
def test_every_side_has_its_value_at_every_layer(session: lt.Session, truth: Truth, measure: LayerMeasure) -> None:
    frame = lt.figure(session, "layers", 1, 0, measure=measure, words=["London", "zebra"]).frame
    turns = {"before": session.turns[0], "after": session.turns[1], "again": session.controls[1]}
    assert list(frame["turn"].unique()) == list(turns)
    for name, turn in turns.items():
        own = frame[frame["turn"] == name]
        assert own["layer"].tolist() == [1, 2, 3]
        wanted = expected(turn, truth(turn), measure, "London", "zebra")
        assert own["value"].tolist() == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_difference_is_after_minus_before(session: lt.Session, truth: Truth, measure: LayerMeasure) -> None:
    figure = lt.figure(session, "layers", 2, 1, measure=measure, words=["London"], over="zebra", difference=True)
    turns = (*session.turns[1:], session.controls[2])
    one, two, again = (expected(turn, truth(turn), measure, "London", "zebra") for turn in turns)
    for name, later in (("difference", two), ("again", again)):
        own = figure.frame[figure.frame["turn"] == name]
        assert own["layer"].tolist() == [1, 2, 3]
        assert own["value"].tolist() == pytest.approx(np.subtract(later, one), abs=1e-3)
    if measure == "lead":
        assert figure.sentence.startswith("The lead of “London” over “zebra” differs most at layer")
        assert "lead (logits), after minus before" in json.dumps(figure.chart.to_dict())


def test_a_step_that_is_chosen_is_read(session: lt.Session, truth: Truth) -> None:
    turn = session.turns[1]
    frame = lt.figure(session, "layers", 1, step=2, measure="prob", words=["zebra"]).frame
    assert frame["value"].tolist() == pytest.approx(expected(turn, truth(turn), "prob", "zebra", "", 2), abs=1e-4)


@pytest.mark.parametrize("measure", ["prob", "rank"])
def test_without_a_word_it_is_the_token_that_was_written(session: lt.Session, truth: Truth, measure: str) -> None:
    frame = lt.figure(session, "layers", 1, 0, measure=measure, words=[]).frame
    for name, turn in (("before", session.turns[0]), ("after", session.turns[1])):
        logits, own = truth(turn).lens_logits(0), int(turn.trace.token_ids[0])
        probs, ranks = logits.softmax(-1)[:, own], (logits > logits[:, [own]]).sum(-1) + 1
        wanted = probs if measure == "prob" else ranks.to(torch.float32)
        assert frame["value"][frame["turn"] == name].tolist() == pytest.approx(wanted.tolist(), abs=1e-4)


@pytest.mark.parametrize("difference", [False, True])
def test_a_word_that_was_not_read_draws_nothing_and_is_named(session: lt.Session, difference: bool) -> None:
    figure = lt.figure(session, "layers", 1, 0, measure="prob", words=["Oslo"], difference=difference)
    assert figure.frame.empty
    assert figure.sentence == "“Oslo” has not been read at this token."
    figure.chart.to_dict()


def test_two_words_that_begin_with_the_same_token_have_no_lead(tiny_llama: lt.LoadedModel) -> None:
    words = ["zebra", "zebras"]
    session = lt.track(tiny_llama, "Who?", recipe="chat", max_new_tokens=1, watch_words=words)
    figure = lt.figure(session, "layers", words=words)
    assert figure.frame.empty
    assert figure.sentence == (
        "Of “zebra” and “zebras” one is the beginning of the other: there is no token in which they differ."
    )


@pytest.mark.parametrize("difference", [False, True])
def test_two_words_that_begin_alike_are_led_at_the_token_in_which_they_differ(
    tiny_llama: lt.LoadedModel, difference: bool
) -> None:
    words = ["zebra", "zebu"]
    session = lt.track(tiny_llama, "Who?", ["No, zebu."], recipe="chat", max_new_tokens=1, watch_words=words)
    figure = lt.figure(session, "layers", 1, 0, words=words, difference=difference)
    values = {}
    for name, turn in zip(("before", "after"), session.turns, strict=True):
        parting = turn.partings[0][0]
        logits = Recomputed(tiny_llama, turn, parting.token_ids).lens_logits(len(parting.token_ids))
        first, second = (parting.watched[word].token_id for word in words)
        values[name] = (logits[:, first] - logits[:, second]).numpy()
    wanted = [values["after"] - values["before"]] if difference else [values["before"], values["after"]]
    assert figure.frame["value"].tolist() == pytest.approx(np.concatenate(wanted).tolist(), abs=1e-4)
    assert ("behind “zeb”, differs most" if difference else "behind “zeb”, with which both begin") in figure.sentence
    alone = lt.figure(session, "layers", 1, words=words, measure="prob", over="zebu")
    assert "probability of z…" in json.dumps(alone.chart.to_dict(), ensure_ascii=False)


def test_where_words_part_is_read_anew_in_a_session_of_an_earlier_version(tiny_llama: lt.LoadedModel) -> None:
    words = ["zebra", "zebu"]
    session = lt.track(tiny_llama, "Who?", recipe="chat", max_new_tokens=1, watch_words=words)
    old = replace(session, turns=(replace(session.turns[0], partings={}),))
    assert old.lacks_scores([0], words)
    assert lt.figure(old, "layers", words=words).sentence.endswith(
        "the one in which they differ has not been read here."
    )
    again = lt.with_word_scores(tiny_llama, old)
    assert again.turns[0].scores == session.turns[0].scores
    wanted = lt.figure(session, "layers", words=words).frame["value"].tolist()
    assert lt.figure(again, "layers", words=words).frame["value"].tolist() == pytest.approx(wanted, abs=1e-4)


def test_words_that_share_a_space_alone_are_read_behind_it(tiny_llama: lt.LoadedModel) -> None:
    words = ["zebra", "queen"]
    session = lt.track(tiny_llama, "It is the", recipe="raw", max_new_tokens=1, watch_words=words)
    first = {session.turns[0].trace.lens[0].watched[word].token for word in words}
    assert first == {" "}
    sentence = lt.figure(session, "layers", words=words).sentence
    assert sentence.startswith("Behind “·”, with which both begin, the read-out prefers “")
