"""What is done to one row of a batch is done there, at its positions, in its layer, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from small_cases import gap, plain, small

import llm_tracker as lt
from llm_tracker.experiments.passes.interventions import Change, Intervention, KnockOut, LikeRow, at_depth
from llm_tracker.experiments.passes.rows import Row, begin, read_rows

TEXT = tuple(40 + at * 7 % 200 for at in range(40))
OTHER = (*TEXT[:25], *range(60, 75))


def read(family: str, *rows: Row, n_shared: int = 20) -> torch.Tensor:
    return next(read_rows(begin(small(family).model, TEXT[:n_shared], 20), rows)).logits


def test_a_depth_is_what_enters_a_layer_and_the_last_what_leaves_it() -> None:
    assert [at_depth(depth, 3) for depth in range(4)] == [
        ("resid_pre", 1),
        ("resid_pre", 2),
        ("resid_pre", 3),
        ("resid_post", 3),
    ]


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2"])
def test_a_change_in_one_row_changes_no_other(family: str) -> None:
    changes: list[Change] = [
        Intervention("resid_pre", 2, (30, 33), 0.5),
        Intervention("z", 3, (39, 40), 0.0, head=2),
        Intervention("mlp_out", 1, (25, 40), 2.0),
        KnockOut(((21, 30),), (39, 40), (1, 3)),
    ]
    rows = [Row(TEXT), *(Row(TEXT, (change,)) for change in changes), Row(OTHER)]
    logits = read(family, *rows)
    assert gap(logits[[0, -1]], torch.stack([plain(family).logits(ids)[-1] for ids in (TEXT, OTHER)])) < 1e-4
    assert [gap(each, logits[0]) > 1e-3 for each in logits[1:-1]] == [True] * 4


def test_a_vector_a_share_and_another_rows_state_are_put_in_as_by_hand() -> None:
    truth = plain("llama")
    states, others = truth.states(TEXT)[1], truth.states(OTHER)[1]
    vector = torch.linspace(-1, 1, states.shape[1])
    span = (30, 34)
    puts = {0: (LikeRow(0), others), 1: (vector, vector.expand_as(states)), 2: (0.25, 0.25 * states)}
    rows = [Row(TEXT, (Intervention("resid_pre", 2, span, put),)) for put, _ in puts.values()]
    logits = read("llama", Row(OTHER), *rows)
    for own, (_, expected) in zip(logits[1:], puts.values(), strict=True):
        assert gap(own, truth.with_states(TEXT, 1, span, expected)) < 1e-4


def test_several_changes_of_a_row_are_made_together() -> None:
    truth, nothing = plain("llama"), torch.zeros(1)
    changes = tuple(Intervention("z", layer, (39, 40), 0.0, head) for layer, head in ((1, 1), (2, 4), (3, 2)))
    expected = truth.with_heads(TEXT, dict.fromkeys(((1, 1), (2, 4), (3, 2)), nothing))
    assert gap(read("llama", Row(TEXT, changes))[0], expected) < 1e-4


def test_two_words_can_be_hidden_at_once_and_each_in_layers_of_its_own() -> None:
    truth = plain("llama")
    both = truth.hiding(40, (21, 24), (39, 40), (1, 2, 3))
    for layer, own in truth.hiding(40, (30, 33), (39, 40), (2,)).items():
        both[layer] = both[layer] | own
    hides = (KnockOut(((21, 24),), (39, 40), (1, 3)), KnockOut(((30, 33),), (39, 40), (2, 2)))
    assert gap(read("llama", Row(TEXT, hides))[0], truth.without_edges(TEXT, both)[-1]) < 1e-4
    one = KnockOut(((21, 24), (30, 33)), (39, 40), (1, 3))
    whole = {
        at: own | truth.hiding(40, (30, 33), (39, 40), (1,))[0]
        for at, own in truth.hiding(40, (21, 24), (39, 40), (1, 2, 3)).items()
    }
    assert gap(read("llama", Row(TEXT, (one,)))[0], truth.without_edges(TEXT, whole)[-1]) < 1e-4


@pytest.mark.parametrize("n_shared", [0, 10, 24])
def test_where_reading_begins_changes_nothing(n_shared: int) -> None:
    changes = (Intervention("resid_pre", 2, (24, 28), 0.5), KnockOut(((2, 9),), (30, 40), (1, 3)))
    rows = [Row(TEXT), Row(TEXT, changes)]
    assert gap(read("llama", *rows, n_shared=n_shared), read("llama", *rows, n_shared=5)) < 1e-4


def test_a_site_that_a_model_lacks_is_refused() -> None:
    with pytest.raises(lt.ModelError, match="“resid_mid” cannot be read or replaced"):
        read("cohere", Row(TEXT, (Intervention("resid_mid", 1, (20, 21), 0.0),)))
