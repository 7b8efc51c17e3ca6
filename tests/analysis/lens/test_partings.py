"""Words that begin with the same tokens: where they part, every layer's logits are those of plain transformers."""

from __future__ import annotations

import numpy as np
import pytest
from recompute import Recomputed
from repeated import one_of_each
from tiny_models import FAMILIES, KINDS, loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.analysis.lens import partings
from llm_tracker.analysis.lens.partings import read_partings, shared_beginnings
from llm_tracker.errors import Cancelled

WORDS = ["zebra", "zebu", "zeal", "Paris"]


def largest_gap(model: lt.LoadedModel, turn: lt.Turn, step: int = 0) -> float:
    """Between the logits and probabilities of where words part, and their recomputation in one pass over the text."""
    gaps = []
    for parting in turn.partings[step]:
        ids = [*turn.trace.token_ids[:step].tolist(), *parting.token_ids]
        logits = Recomputed(model, turn, ids).lens_logits(len(ids))
        for lens in parting.watched.values():
            gaps.append(np.abs(lens.logit - logits[:, lens.token_id].numpy()).max())
            gaps.append(np.abs(lens.prob - logits.softmax(-1)[:, lens.token_id].numpy()).max())
    return float(max(gaps))


@pytest.mark.parametrize("family", one_of_each(FAMILIES, KINDS))
def test_every_familys_logits_there_are_those_of_plain_transformers(family: str) -> None:
    model = loaded(tiny_network(family))
    session = lt.track(model, "What?", ["No, zebu."], watch_words=WORDS, max_new_tokens=2, control=True)
    for turn in (*session.turns, *session.controls.values()):
        assert {frozenset(each.watched) for each in turn.partings[0]} == {
            frozenset(("zebra", "zebu")),
            frozenset(("zebra", "zebu", "zeal")),
        }
        assert largest_gap(model, turn) < 1e-4


@pytest.mark.real
def test_the_real_models_logits_there_are_those_of_plain_transformers(embedded: lt.LoadedModel) -> None:
    watched = ["Uranus", "Uranium"]
    session = lt.track(embedded, "Which planet is the coldest?", ["No, Uranium."], watch_words=watched)
    for turn in session.turns:
        assert [parting.shared for parting in turn.partings[turn.first_step]] == ["Uran"]
        assert largest_gap(embedded, turn, turn.first_step) < 2e-3
    first, second = (turn.partings[turn.first_step][0].watched for turn in session.turns)
    assert first["Uranus"].logit[-1] > first["Uranium"].logit[-1]
    assert second["Uranus"].logit[-1] < second["Uranium"].logit[-1]


def test_words_are_grouped_by_all_that_two_of_them_share_before_they_differ() -> None:
    ids = {"a": (1, 2, 3), "b": (1, 2, 4), "c": (1, 5), "d": (1, 2), "e": (6,)}
    assert shared_beginnings(ids) == {(1, 2): ["a", "b"], (1,): ["a", "b", "c", "d"]}


def test_what_was_read_is_not_read_again_and_a_further_word_joins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    turn = lt.track(model, "What?", watch_words=["zebra", "zebu"], max_new_tokens=1).turns[0]
    joined = read_partings(model, turn, ["zebra", "zebu", "zebulon"], 0)
    assert {frozenset(each.watched) for each in joined} == {frozenset(("zebra", "zebu", "zebulon"))}
    monkeypatch.setattr(partings, "resid_behind", lambda *_: pytest.fail("it was read again"))
    assert read_partings(model, turn, ["zebra", "zebu"], 0) == turn.partings[0]


def test_it_stops_between_two_readings() -> None:
    model = tiny_model("llama")
    turn = lt.track(model, "What?", max_new_tokens=1).turns[0]
    with pytest.raises(Cancelled):
        read_partings(model, turn, ["zebra", "zebu"], 0, stop=lambda: True)
