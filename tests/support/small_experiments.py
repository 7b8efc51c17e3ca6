"""Experiments as values, made by hand: every part filled in, or said to be missing."""

from __future__ import annotations

from typing import Any

import llm_tracker as lt
from llm_tracker.experiments.values.conditions import Condition, ConditionName
from llm_tracker.experiments.values.findings import (
    Attribution,
    ConditionScore,
    Contribution,
    ExactCheck,
    FrozenRoute,
    HandOver,
    Heads,
    HeadShare,
    HeadsTogether,
    HeadWords,
    KnockOuts,
    LayerParts,
    LensCurve,
    Pair,
    WordEffect,
)
from llm_tracker.tracing.session import ModelInfo

CASE = lt.Case("Q?", "Paris", "London", "No, London.", "Paris", ("Lutetia",), ("Londinium",), ("Really?",))
PAIR = Pair("No, Paris.", "No, London.", "Paris", "London")


def model_of(**changes: Any) -> ModelInfo:
    """A model that there is not."""
    known = {
        "id": "tiny",
        "title": "Tiny",
        "path": None,
        "model_type": "llama",
        "adapter": "LlamaAdapter",
        "n_layers": 2,
        "n_heads": 2,
        "d_model": 8,
        "vocab_size": 99,
        "dtype": "float32",
        "device": "cpu",
        "revision": None,
        "weights_sha256": None,
        "notices": ("4-bit",),
        "kernels": ("a", "b"),
    }
    return ModelInfo(**{**known, **changes})


def condition_score(
    name: ConditionName, score_answer: float, score_foil: float, paraphrase: int = 0, **changes: Any
) -> ConditionScore:
    """A score that was never taken."""
    own = {
        "top": (("Paris", 0.75), (" London", 0.125)),
        "entropy_nats": 1.5,
        "tv_from_asked_again": 0.25,
        "jsd_from_asked_again": 0.0625,
    }
    condition = Condition(name, f"{name} text", paraphrase)
    return ConditionScore(condition, score_answer, score_foil, **{**own, **changes})


def experiment(**parts: Any) -> lt.Experiment:
    """An experiment of these parts alone."""
    return lt.Experiment(model_of(), "one-word", CASE, **parts)


def path(**changes: Any) -> HandOver:
    """The path of a named word through two layers."""
    known = {
        "pair": PAIR,
        "effect": 2.5,
        "margins": (1.5, -1.0),
        "tokens": (" London", ".", "\n"),
        "first": 7,
        "n_word": 1,
        "named_word": (1.0, 0.5, 0.0),
        "between": (0.0, 0.25, 0.0),
        "answer_slot": (0.0, -0.25, 1.0),
    }
    return HandOver(**{**known, **changes})


def whole_experiment() -> lt.Experiment:
    """Every part there."""
    words = (Contribution("Hi", "user", (0, 2), 0.5), Contribution(" you", "assistant", (2, 3), -0.25))
    attribution = {"layers": (LayerParts(1, 0.5, 0.25), LayerParts(2, -1.5, 2.0)), "embedding": 0.125}
    return experiment(
        turn=2,
        versions={"torch": "1"},
        hand_over=path(grid=((1.0, 0.0, 0.0), (0.5, 0.25, 0.25), (0.0, 0.0, 1.0))),
        verdict=path(effect=-0.5),
        conditions=(
            condition_score("asked_again", -1.0, -2.0),
            condition_score("user", -3.0, -0.5, answer_text="London.", grade="foil"),
            condition_score("baseline", -0.5, -4.0, answer_text="Paris", grade="answer"),
            condition_score("right", -0.5, -4.0, 1),
            condition_score("wrong", -1.5, -4.0, 1),
        ),
        lens=(LensCurve(Condition("wrong", "That is wrong."), (0.5, 1.5), (2.0, 0.0), (0.25, 0.125)),),
        knock_outs=KnockOuts((1, 2), -2.5, (WordEffect("Hi", "user", (0, 2), True, 1.5, False, 0.25),)),
        frozen_route=FrozenRoute(words, 0.5, 0.75),
        heads=Heads(
            PAIR,
            2.5,
            (HeadShare(2, 1, 0.5, 0.75), HeadShare(1, 1, -0.25, None)),
            (HeadShare(1, 2, 0.0, 0.5),),
            (HeadsTogether(((2, 1),), 1.5), HeadsTogether(((2, 1), (1, 1)), 2.5)),
            (HeadsTogether(((1, 2),), 0.0),),
        ),
        attributions=(
            Attribution("before", **attribution, remainder=0.0, logit_difference=1.375, heads=None),
            Attribution("asked_again", **attribution, remainder=0.0, logit_difference=1.375, heads=((0.5,), ())),
            Attribution(
                "after",
                **attribution,
                remainder=-0.5,
                logit_difference=0.875,
                heads=((0.25, 0.25), (-1.0, -0.5)),
                words=words,
                head_words=(HeadWords(2, 1, (0.5, -1.5)),),
            ),
        ),
        checks=(ExactCheck("sum", 1e-7, 1e-4),),
        tokens_read=1234,
        text_length=56,
        seconds=1.5,
    )
