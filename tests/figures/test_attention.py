"""Attention by word is summed up from plain transformers' own patterns, and so is what each word has more after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from recompute import Recomputed
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.prompts.words import Word, fold

Truth = Callable[[lt.Turn], Recomputed]


@pytest.mark.parametrize(
    ("asked", "said"), [({}, "(layer 3, mean of its heads)"), ({"layer": 2, "head": 4}, "(layer 2, head 4)")]
)
def test_the_title_says_of_which_layer_and_head_a_picture_is(
    session: lt.Session, asked: dict[str, int], said: str
) -> None:
    for difference in (False, True):
        assert lt.figure(session, "attention", 1, 0, difference=difference, **asked).title.endswith(said)


def row_of(truth: Recomputed, step: int, layer: int, head: int | None) -> Any:
    pattern = truth.pattern(step, layer - 1).astype(float)
    return pattern.mean(0) if head is None else pattern[head - 1]


def require_true(frame: pd.DataFrame, row: np.ndarray, turn: lt.Turn, step: int) -> None:
    """Each word's share is the sum over its tokens, all positions are there once, and all is 100 %."""
    assert len(row) == turn.trace.prompt_length + step
    spans = list(zip(frame["start"], frame["end"], strict=True))
    assert [at for start, end in spans for at in range(start, end)] == list(range(len(row)))
    assert frame["share"].tolist() == pytest.approx([row[start:end].sum() for start, end in spans], abs=1e-5)
    assert frame["share"].sum() == pytest.approx(1, abs=1e-5)
    assert spans[0] == (0, 1), "the first position stands by itself"


@pytest.mark.parametrize(("layer", "head"), [(None, None), (1, None), (2, 3)])
def test_a_share_is_the_sum_over_the_words_tokens(
    session: lt.Session, truth: Truth, layer: int | None, head: int | None
) -> None:
    frame = lt.figure(session, "attention", 1, 0, layer=layer, head=head).frame
    turns = {"before": session.turns[0], "after": session.turns[1], "again": session.controls[1]}
    assert list(frame["turn"].unique()) == list(turns)
    for name, turn in turns.items():
        require_true(frame[frame["turn"] == name], row_of(truth(turn), 0, layer or 3, head), turn, 0)


@pytest.mark.parametrize("step", [0, 3])
def test_of_one_answer_it_is_that_of_the_step(session: lt.Session, truth: Truth, step: int) -> None:
    turn = session.turns[1]
    frame = lt.figure(session, "attention", 1, step=step).frame
    require_true(frame, row_of(truth(turn), step, 3, None), turn, step)
    assert set(frame["group"]) <= {"parked", "user", "assistant", "answer"}
    assert ("answer" in set(frame["group"])) == (step > 0)


def spoken(turn: lt.Turn, step: int) -> list[Word]:
    """The conversation's own words in front of a step: not the template's, nor what the first position is of."""
    return [word for word in turn.words_before(step) if word.role != "template" and word.tokens[0] > 0]


@pytest.mark.parametrize("given", ["turn", "control", "other session"])
def test_the_difference_of_each_word_is_after_minus_before(
    session: lt.Session, other: lt.Session, truth: Truth, given: str
) -> None:
    before = other.turns[0] if given == "other session" else session.turns[1]
    after = session.controls[2] if given == "control" else session.turns[2]
    options = {"against_session": other if given == "other session" else None, "control": given == "control"}
    at = 0 if given == "other session" else 1
    figure = lt.figure(session, "attention", 2, at, difference=True, layer=2, head=1, **options)  # type: ignore[arg-type]
    frame, rows = figure.frame, [row_of(truth(turn), 0, 2, 1) for turn in (before, after)]
    assert frame["share"].tolist() == pytest.approx((frame["share_after"] - frame["share_before"]).tolist())
    assert frame["share"].sum() == pytest.approx(0, abs=1e-5)
    for turn, row, name in ((before, rows[0], "share_before"), (after, rows[1], "share_after")):
        own = frame[(frame["role"] != "") & (frame[name] != 0)]
        words = spoken(turn, 0)
        assert own[name].tolist() == pytest.approx([row[slice(*word.tokens)].sum() for word in words], abs=1e-6)
        parked = row.sum() - sum(row[slice(*word.tokens)].sum() for word in words)
        assert frame[name].iloc[0] == pytest.approx(parked, abs=1e-5)
    assert frame["word"].iloc[0] == "parked"
    if given != "turn":
        assert frame["again"].isna().all()
    else:
        require_again(frame, before, session.controls[2], truth)
    same = frame[(frame["share_before"] != 0) & (frame["share_after"] != 0) & (frame["role"] == "user")]
    assert len(same) >= (2 if given == "other session" else 4), "what both texts have stands together"


def shares_by_word(turn: lt.Turn, row: np.ndarray) -> dict[str, list[float]]:
    """What each of the conversation's own words got, by its letters; what is parked under its name."""
    shares: dict[str, list[float]] = {}
    for word in spoken(turn, 0):
        shares.setdefault(fold(word.text.strip()), []).append(float(row[slice(*word.tokens)].sum()))
    return {**shares, "": [float(row.sum()) - sum(sum(each) for each in shares.values())]}


def require_again(frame: pd.DataFrame, before: lt.Turn, control: lt.Turn, truth: Truth) -> None:
    """What each word of the text before got more when merely asked again, where that has the same word."""
    was, now = (shares_by_word(turn, row_of(truth(turn), 0, 2, 1)) for turn in (before, control))
    known = frame[(frame["role"] == "user") & frame["again"].notna()]
    assert len(known) > 1
    for row in [frame.iloc[0].to_dict() | {"word": ""}, *known.to_dict("records")]:
        word = fold(row["word"])
        assert any(row["again"] == pytest.approx(one - other, abs=1e-5) for one in now[word] for other in was[word])


def test_what_only_one_text_says_got_nothing_in_the_other(session: lt.Session) -> None:
    frame = lt.figure(session, "attention", 1, 0, difference=True).frame
    correction = frame[frame["word"] == "London"]
    assert correction["share_before"].tolist() == [0.0]
    assert correction["share_after"].iloc[0] > 0
    assert correction["share"].tolist() == correction["share_after"].tolist()


def test_what_a_learned_sink_takes_is_parked_and_a_difference_sums_to_nothing() -> None:
    session = lt.track(tiny_model("gpt_oss"), "Is it Paris?", ["No."], recipe="chat", max_new_tokens=2)
    frame = lt.figure(session, "attention", 1, 0, layer=2).frame
    for name, turn in (("before", session.turns[0]), ("after", session.turns[1])):
        own = frame[frame["turn"] == name]
        assert own["share"].sum() == pytest.approx(1, abs=1e-5)
        row = turn.trace.attention[0, 1, :, : turn.trace.prompt_length].mean(0)
        assert own["share"][own["role"] == "sink"].tolist() == pytest.approx([1 - row.sum()], abs=1e-5)
    difference = lt.figure(session, "attention", 1, 0, layer=2, difference=True).frame
    assert difference["share"].sum() == pytest.approx(0, abs=1e-5)


def test_a_layer_that_is_not_there_or_has_no_attention_is_refused(session: lt.Session) -> None:
    for layer in (-1, 0, 4, 99):
        with pytest.raises(lt.InputError, match="layers 1 to 3"):
            lt.figure(session, "attention", layer=layer)
    turn = replace(session.turns[0], trace=replace(session.turns[0].trace, heads=(4, 0, 4)))
    hybrid = replace(session, turns=(turn,), controls={})
    with pytest.raises(lt.InputError, match="no attention in layer 2"):
        lt.figure(hybrid, "attention", layer=2)
    assert lt.figure(hybrid, "attention", layer=1).frame["share"].sum() == pytest.approx(1, abs=1e-5)
    for against in (None, hybrid):
        with pytest.raises(lt.InputError, match=r"no (layer|attention)"):
            lt.figure(session, "attention", 1, 0, against_session=against, layer=2 if against else 9, difference=True)


def test_a_head_that_is_not_there_or_was_not_kept_is_refused(session: lt.Session) -> None:
    for head in (-1, 0, 5):
        with pytest.raises(lt.InputError, match="heads 1 to 4"):
            lt.figure(session, "attention", head=head)
    trace = session.turns[0].trace
    mean = trace.attention.mean(2)
    turn = replace(session.turns[0], trace=replace(trace, attention=trace.attention[:1], attention_mean=mean))
    long = replace(session, turns=(turn,), controls={})
    with pytest.raises(lt.InputError, match="Leave the head out"):
        lt.figure(long, "attention", step=2, head=1)
    assert lt.figure(long, "attention", step=2).frame["share"].sum() == pytest.approx(1, abs=1e-5)
