"""Attention by word: exact on numbers worked out by hand, and the whole is always 100 %."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_models import loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models.forward.attention_rows import last_row


def test_a_row_is_the_softmax_of_the_scaled_scores() -> None:
    query = torch.tensor([[[[9.0, 9.0], [1.0, 0.0]]]])  # one head; the last query counts
    key = torch.tensor([[[[0.0, 5.0], [float(np.log(3)), 1.0]]]])
    assert last_row(query, key, None, 1.0)[0].tolist() == pytest.approx([0.25, 0.75])
    assert last_row(query, key, None, None)[0].tolist() == pytest.approx(
        torch.tensor([0.0, float(np.log(3)) / 2**0.5]).softmax(-1).tolist()
    )


def test_a_masked_position_gets_nothing_by_either_kind_of_mask() -> None:
    query, key = torch.ones(1, 1, 1, 2), torch.ones(1, 1, 3, 2)
    boolean = torch.tensor([[[[False, True, True]]]])
    additive = torch.tensor([[[[-torch.inf, 0.0, 0.0]]]])
    for mask in (boolean, additive):
        assert last_row(query, key, mask, 1.0)[0].tolist() == pytest.approx([0, 0.5, 0.5])


def test_grouped_heads_read_their_own_keys() -> None:
    query = torch.ones(1, 4, 1, 1)
    key = torch.tensor([[[[0.0], [0.0]], [[0.0], [float(np.log(9))]]]])  # two kv heads
    rows = last_row(query, key, None, 1.0)
    assert rows.tolist() == pytest.approx(np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.9], [0.1, 0.9]]))


def test_a_model_without_preference_looks_at_all_positions_alike() -> None:
    network = tiny_network("llama")
    with torch.no_grad():
        for layer in network.model.layers:
            layer.self_attn.q_proj.weight.zero_()
    turn = lt.track(loaded(network), "one two three", recipe="raw", max_new_tokens=1).turns[0]
    shares = lt.attention_by_word(turn)
    n_tokens = len(turn.prompt.token_ids)
    assert shares["share"].tolist() == pytest.approx(
        [(end - start) / n_tokens for start, end in zip(shares["start"], shares["end"], strict=True)]
    )


def test_the_first_token_and_the_template_are_parked_and_the_whole_is_one() -> None:
    turn = lt.track(tiny_model("llama"), "What is it?", max_new_tokens=3).turns[0]
    for layer in (1, 2, 3):
        shares = lt.attention_by_word(turn, 1, layer)
        groups = lt.attention_groups(shares)
        assert groups.sum() == pytest.approx(1, abs=1e-5)
        assert list(groups.index) == ["parked", "recipe", "user", "answer"]
        parked = shares[shares["group"] == "parked"]
        assert 0 in parked["start"].tolist()
        assert set(shares.loc[shares["role"] == "template", "group"]) == {"parked"}


def test_the_first_token_is_taken_out_of_a_word_that_it_begins() -> None:
    turn = lt.track(tiny_model("llama"), "Zebra is it?", recipe="raw", max_new_tokens=1).turns[0]
    shares = lt.attention_by_word(turn)
    assert shares.iloc[0][["word", "start", "end", "group"]].tolist() == ["", 0, 1, "parked"]
    assert shares.iloc[1]["start"] == 1
    assert shares["share"].sum() == pytest.approx(1, abs=1e-5)


def test_the_last_layer_is_the_default_and_others_can_be_chosen() -> None:
    turn = lt.track(tiny_model("llama"), "What is it?", max_new_tokens=1).turns[0]
    assert lt.attention_by_word(turn).equals(lt.attention_by_word(turn, 0, 3))
    assert not lt.attention_by_word(turn).equals(lt.attention_by_word(turn, 0, 1))
    with pytest.raises(lt.InputError, match="layers 1 to 3"):
        lt.attention_by_word(turn, 0, 4)
