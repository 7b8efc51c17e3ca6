"""Two models' answers: what is said of them is true of both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.compare import Side, WordChange, word_changes
from llm_tracker.wording.attention import attention_sentence
from llm_tracker.wording.candidates import candidates_sentence
from llm_tracker.wording.formats import one_in, percent
from llm_tracker.wording.layers import layers_sentence
from llm_tracker.wording.two_models import models_attention_sentence, models_verdict, shares_of


def first_turn(n_layers: int) -> lt.Turn:
    model = tiny_model("llama", num_hidden_layers=n_layers)
    words = ["London", "zebra"]
    return lt.track(model, "What is it?", recipe="chat", max_new_tokens=2, watch_words=words).turns[0]


@pytest.fixture(scope="module")
def sides() -> list[Side]:
    return [Side("before", first_turn(3), 0, "Small"), Side("after", first_turn(5), 0, "Large")]


def answering(side: Side, answer: str, ended: str = "end") -> Side:
    return replace(side, turn=replace(side.turn, answer=answer, ended=ended))  # type: ignore[arg-type]


def test_each_model_says_its_answer_with_its_probability(sides: list[Side]) -> None:
    paris, rome = answering(sides[0], "Paris"), answering(sides[1], "Rome")
    first, second = (percent(float(side.turn.trace.token_probs.prod())) for side in sides)
    assert models_verdict([paris, rome]) == (
        f"Small says “Paris” ({first}), Large says “Rome” ({second}). They give different answers."
    )
    assert models_verdict([paris, answering(sides[1], "paris.")]).endswith("They give the same answer.")
    cut = answering(sides[1], "Par", "limit")
    assert models_verdict([paris, cut]).endswith("One was cut short: whether they agree cannot be said.")
    assert "Large says nothing (" in models_verdict([paris, answering(sides[1], "")])


def test_the_headline_speaks_of_no_change_and_of_no_asking_again(sides: list[Side]) -> None:
    (change,) = word_changes(sides, ["London"])
    told = " ".join([models_verdict(sides), *shares_of(change)])
    probs = [side.turn.scores[0]["London"].prob for side in sides]
    write = percent if max(probs) >= 0.001 else one_in
    assert f"{write(probs[0])} and {write(probs[1])}" in told
    for word in ("changed", "again", "→", "correct"):
        assert word not in told


def test_a_word_is_told_whole_however_each_model_cuts_it() -> None:
    assert shares_of(WordChange("Tokyo", 0.5, 0.25, None)) == ("“Tokyo”", "50 % and 25 %")
    assert shares_of(WordChange("Tokyo", 0.0002, 0.00001, None)) == ("“Tokyo”", "1 in 5,000 and 1 in 100,000")


def test_every_sentence_names_the_model(sides: list[Side]) -> None:
    assert candidates_sentence(sides).startswith("In Small, ") or "in Small " in candidates_sentence(sides)
    told = layers_sentence(sides, "lead", "London", "zebra")
    assert told.startswith("In Small, the read-out prefers")
    assert "; in Large, the read-out prefers" in told
    assert "of 3" in told or "at every layer" in told or "last layer" in told


def test_attention_is_told_at_each_models_own_layer_and_head(sides: list[Side]) -> None:
    told = models_attention_sentence(sides, {"before": (2, None), "after": (5, 4)})
    assert told.startswith("In Small, layer 2 of 3, ")
    assert "; in Large, layer 5 of 5, head 4, " in told
    alone = attention_sentence([sides[1]], 5, 4)
    assert alone[0].lower() + alone[1:-1] in told
