"""Sentences on tokens: the least likely, the most open prediction, the largest difference, or that there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import Side
from llm_tracker.prompts.thoughts import Thought
from llm_tracker.wording.tokens import token_differences_sentence, tokens_sentence

NAN = float("nan")


def answering(turn: lt.Turn, tokens: list[str], probs: list[float], entropies: list[float] | None = None) -> lt.Turn:
    """The turn as if it had written these tokens with these numbers, each the likeliest before “Rome”."""
    trace, n_steps = turn.trace, len(tokens)
    ids = np.arange(n_steps)
    length = trace.prompt_length + n_steps - 1
    whole = replace(
        trace,
        token_ids=ids,
        tokens=tuple(tokens),
        token_probs=np.array(probs, dtype=np.float32),
        token_logits=np.zeros(n_steps, dtype=np.float32),
        token_ranks=np.ones(n_steps, dtype=np.int64),
        top_token_ids=np.stack([ids, ids + 99], 1),
        top_tokens=tuple((token, "Rome") for token in tokens),
        top_logits=np.zeros((n_steps, 2), dtype=np.float32),
        top_probs=np.array([[prob, 0.02] for prob in probs], dtype=np.float32),
        entropies=None if entropies is None else np.array(entropies, dtype=np.float32),
        attention=np.zeros((n_steps, *trace.attention.shape[1:3], length), dtype=np.float32),
        resid=np.zeros((n_steps, *trace.resid.shape[1:]), dtype=np.float32),
        lens={},
    )
    return replace(turn, trace=whole, spans=((0, 0),) * n_steps)


@pytest.fixture
def paris(session: lt.Session) -> Side:
    return Side("before", answering(session.turns[0], [" Par", "is", "."], [0.9, 0.3, 0.99], [0.5, 2.25, 0.01]))


@pytest.fixture
def london(session: lt.Session) -> Side:
    return Side("after", answering(session.turns[1], ["London"], [0.0002], [12.3]))


def test_of_each_answer_the_least_likely_token_is_named(paris: Side, london: Side) -> None:
    assert tokens_sentence([paris]) == "The least likely of 3 tokens is “is” with 30 %."
    assert tokens_sentence([paris, london]) == (
        "Before, the least likely of 3 tokens is “is” with 30 %; after, its one token is “London” with under 0.1 %."
    )


def test_of_each_answer_the_most_open_prediction_is_named(paris: Side, london: Side) -> None:
    assert tokens_sentence([paris], "entropy_nats") == (
        "Of 3 predictions the most open is that of token 2, “is”, 2.2 nats of entropy."
    )
    assert tokens_sentence([london], "entropy_nats") == "Its one token is “London”, 12 nats of entropy."


def test_of_equal_tokens_the_first_is_named(session: lt.Session) -> None:
    even = Side("before", answering(session.turns[0], ["a", "b"], [0.5, 0.5], [1.0, 1.0]))
    assert tokens_sentence([even]) == "The least likely of 2 tokens is “a” with 50 %."
    assert tokens_sentence([even], "entropy_nats").startswith("Of 2 predictions the most open is that of token 1, “a”")


def test_entropies_that_were_not_kept_and_answers_that_did_not_come_are_said(session: lt.Session, paris: Side) -> None:
    old = Side("before", answering(session.turns[0], ["a"], [0.5]))
    assert tokens_sentence([old], "entropy_nats") == "The entropies of this answer were not kept."
    thought = Thought(n_steps=3, text="Hm", closed_by="", with_answer="Hm")
    silent = Side("after", replace(paris.turn, thought=thought))
    assert tokens_sentence([paris, silent]).endswith("; after, no answer came.")


def test_a_thought_is_not_counted(paris: Side) -> None:
    thought = Thought(n_steps=2, text="Hm", closed_by="model", with_answer="Hm.")
    assert tokens_sentence([replace(paris, turn=replace(paris.turn, thought=thought))]) == (
        "Its one token is “.” with 99 %."
    )


def frame(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["token_before", "token_after", "prob", "entropy_nats"])
    return table.assign(number=range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("rows", "prob", "entropy"),
    [
        (
            [("a", "b", 0.1, -2.5), ("c", "c", -0.25, 0.1)],
            "The largest difference is at token 2, “c”: −25.0 points of probability.",
            "The largest difference is at token 1, “a” before and “b” after: −2.50 nats of entropy.",
        ),
        (
            [("a", "a", 0.0, 0.0), ("b", "", NAN, NAN)],
            "At no place do the answers differ by 0.1 points of probability.",
            "At no place do the answers differ by 0.01 nats of entropy.",
        ),
        (
            [("a", "b", 1e-5, -1e-4)],
            "At no place do the answers differ by 0.1 points of probability.",
            "At no place do the answers differ by 0.01 nats of entropy.",
        ),
        (
            [("a", " a", 0.001, 0.25)],
            "The largest difference is at token 1, “a” before and “·a” after: +0.1 points of probability.",
            "The largest difference is at token 1, “a” before and “·a” after: +0.25 nats of entropy.",
        ),
        (
            [("a", "", NAN, NAN)],
            "The answers have no place in common.",
            "The answers have no place in common.",
        ),
        ([], "The answers have no place in common.", "The answers have no place in common."),
    ],
)
def test_the_largest_difference_is_named_or_that_there_is_none(
    rows: list[tuple[str, str, float, float]], prob: str, entropy: str
) -> None:
    assert token_differences_sentence(frame(*rows)) == prob
    assert token_differences_sentence(frame(*rows), "entropy_nats") == entropy
