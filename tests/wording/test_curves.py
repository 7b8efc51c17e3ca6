"""The sentences on curves: from which layer on the likeliest token stays, what the lens is worth, what differs most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import Side
from llm_tracker.tracing.trace import LeadingTokens
from llm_tracker.wording.curves import curve_differences_sentence, curves_sentence


def side_with(session: lt.Session, best: list[str], kl: list[float] | None = None) -> Side:
    """An answer at whose layers these tokens rank first, this far from the model's own prediction."""
    turn = session.turns[0]
    n_layers, table = len(best), turn.trace.lens[0]
    ids = np.array([[ord(token), 0] for token in best])
    several = list(dict.fromkeys(best[::-1]))
    zeros = np.zeros((len(several), n_layers), dtype=np.float32)
    table = replace(
        table,
        token_prob=np.zeros(n_layers, dtype=np.float32),
        token_rank=np.ones(n_layers, dtype=np.int64),
        top_token_ids=ids,
        top_tokens=tuple((token, "x") for token in best),
        top_probs=np.zeros((n_layers, 2), dtype=np.float32),
        kl=None if kl is None else np.array(kl, dtype=np.float32),
        entropy=np.zeros(n_layers, dtype=np.float32),
        leading=LeadingTokens(np.array([ord(token) for token in several]), tuple(several), zeros, zeros),
    )
    resid = np.zeros((turn.trace.n_steps, n_layers + 1, 4), dtype=np.float32)
    attention = np.zeros((turn.trace.n_steps, n_layers, *turn.trace.attention.shape[2:]), dtype=np.float32)
    trace = replace(turn.trace, resid=resid, attention=attention, heads=(), lens={0: table})
    return Side("before", replace(turn, trace=trace))


@pytest.mark.parametrize(
    ("best", "sentence"),
    [
        ("aabb", "From layer 3 of 4 on the likeliest token is “b”; 2 tokens rank first at some layer."),
        ("bbbb", "At every layer the likeliest token is “b”."),
        ("aaab", "Only the last layer's likeliest token is “b”; 2 tokens rank first at some layer."),
        ("baab", "The last layer's likeliest token is “b”; 2 tokens rank first at some layer."),
        ("b", "At every layer the likeliest token is “b”."),
    ],
)
def test_it_says_from_which_layer_on_the_likeliest_token_stays(session: lt.Session, best: str, sentence: str) -> None:
    assert curves_sentence(side_with(session, list(best))) == sentence


def test_it_says_how_far_the_read_out_is_half_way(session: lt.Session) -> None:
    assert curves_sentence(side_with(session, list("aabb"), [9.0, 3.456, 1.0, 0.0])).endswith(
        " At layer 2 the read-out is 3.5 nats from the model's own prediction (KL)."
    )
    assert "KL" not in curves_sentence(side_with(session, list("ab"), [9.0, 0.0])), "two layers have no middle"


def test_a_step_that_was_not_read_is_said(session: lt.Session) -> None:
    turn = replace(session.turns[0], trace=replace(session.turns[0].trace, lens={}))
    assert curves_sentence(Side("before", turn)) == "This token's layers have not been read."


def frame(*rows: tuple[str, int, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["line", "layer", "prob"])
    return table.assign(turn="difference", logit=table["prob"] * 10, rank=table["prob"] * 1000)


@pytest.mark.parametrize(
    ("rows", "sentences"),
    [
        (
            [("Paris", 1, 0.1), ("Paris", 2, -0.4), ("a", 1, 0.4)],
            ("“Paris” differs most at layer 2: −40 points.", ": −4.0 logits.", ": −400 ranks."),
        ),
        (
            [("a", 1, 0.01)],
            ("“a” differs most at layer 1: +1 point.", ": +0.1 logits.", ": +10 ranks."),
        ),
        (
            [("a", 3, 5.0)],
            ("“a” differs most at layer 3: +500 points.", ": +50.0 logits.", ": +5,000 ranks."),
        ),
        (
            [("a", 1, -0.001)],
            ("At no layer does a word differ by a point.", "differ by 0.1 logits.", ": −1 rank."),
        ),
        (
            [("a", 1, 0.0), ("b", 1, 0.0)],
            ("At no layer does a word differ by a point.", "differ by 0.1 logits.", "differ by a rank."),
        ),
        ([], ("No word was read on both sides.",) * 3),
    ],
)
def test_the_word_that_differs_most_is_named_or_that_none_does(
    rows: list[tuple[str, int, float]], sentences: tuple[str, str, str]
) -> None:
    for measure, sentence in zip(("prob", "logit", "rank"), sentences, strict=True):
        assert curve_differences_sentence(frame(*rows), measure).endswith(sentence)  # type: ignore[arg-type]


def test_the_same_place_is_told_of_merely_asking_again() -> None:
    both = pd.concat([frame(("a", 1, 0.4), ("a", 2, 0.1)), frame(("a", 1, 0.02), ("a", 2, 0.9)).assign(turn="again")])
    assert curve_differences_sentence(both, "prob") == (
        "“a” differs most at layer 1: +40 points; merely asked again, +2 points."
    )
    tiny = pd.concat([frame(("a", 1, 0.4)), frame(("a", 1, 0.002)).assign(turn="again")])
    assert curve_differences_sentence(tiny, "prob").endswith("+40 points; merely asked again, by less than a point.")


def test_a_lead_differs_in_logits() -> None:
    lead = "the lead of “a” over “b”"
    assert curve_differences_sentence(frame(("a over b", 2, 0.25)), "logit", lead) == (
        "The lead of “a” over “b” differs most at layer 2: +2.5 logits."
    )
    assert curve_differences_sentence(frame(("a over b", 2, 0.0)), "logit", lead) == (
        "At no layer does the lead of “a” over “b” differ by 0.1 logits."
    )
