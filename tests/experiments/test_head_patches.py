"""Heads replaced one by one, and knocked out together: what plain transformers says where its own are changed."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from small_cases import FAMILIES, plain, small, small_case, tiny

import llm_tracker as lt
from llm_tracker.experiments.hand_over import Patching, stream_hand_over
from llm_tracker.experiments.head_patches import N_DRAWS, N_SHOWN, TOGETHER, heads_of
from llm_tracker.experiments.minimal_pairs import named_pair, read_pair
from llm_tracker.experiments.values.findings import Heads
from llm_tracker.progress import ended

REPLACEABLE = [family for family in FAMILIES if family != "bloom"]


@cache
def patching(family: str) -> Patching:
    case = small(family)
    return Patching(case.model, read_pair(case.setting, case.case, named_pair(case.case)))


@cache
def heads(family: str) -> Heads:
    found, checks = heads_of(small(family).model, patching(family))
    assert all(check.ok for check in checks)
    return found


def plain_margin(family: str, changes: dict[tuple[int, int], torch.Tensor]) -> float:
    pair = patching(family).pair
    return float(pair.probe.margins(plain(family).with_heads(pair.target, changes)))


@pytest.mark.parametrize("family", REPLACEABLE)
def test_each_heads_share_is_what_plain_transformers_says_with_the_sources_output_in_its_place(family: str) -> None:
    truth, found = plain(family), heads(family)
    pair = patching(family).pair
    outputs = [layer[-1].view(truth.n_heads, -1) for layer in truth.head_outputs(pair.source)]
    target = plain_margin(family, {})
    assert len(found.shares) == 3 * truth.n_heads
    for each in found.shares:
        source = outputs[each.layer - 1][each.head - 1]
        patched = plain_margin(family, {(each.layer, each.head): source})
        assert each.share * found.effect == pytest.approx(patched - target, abs=1e-4)


@pytest.mark.parametrize("family", REPLACEABLE)
def test_heads_that_are_knocked_out_together_are_so_in_plain_transformers(family: str) -> None:
    found, nothing = heads(family), torch.zeros(1)
    target = plain_margin(family, {})
    for each in (*found.knocked_out, *found.knocked_out_random):
        without = plain_margin(family, dict.fromkeys(each.heads, nothing))
        assert each.delta == pytest.approx(without - target, abs=1e-4)


@pytest.mark.parametrize("family", ["llama", "gemma2", "mpt"])
def test_how_much_a_head_looks_at_the_word_is_its_own_attention(family: str) -> None:
    truth, pair = plain(family), patching(family).pair
    with torch.no_grad():
        patterns = truth.network(torch.tensor([pair.target]), output_attentions=True, use_cache=False).attentions
    for each in heads(family).shares:
        row = patterns[each.layer - 1][0, each.head - 1, -1]
        assert each.attention_to_word == pytest.approx(float(row[pair.first : pair.end].sum()), abs=1e-4)


def test_the_strongest_stand_first_and_beside_them_some_of_the_others_by_chance() -> None:
    found = heads("llama")
    sizes = [abs(each.share) for each in found.shares]
    assert sizes == sorted(sizes, reverse=True)
    first = [(each.layer, each.head) for each in found.shares]
    assert [each.heads for each in found.knocked_out] == [tuple(first[:n]) for n in TOGETHER]
    others = set(first[N_SHOWN:])
    assert {(each.layer, each.head) for each in found.random} == others
    assert [len(each.heads) for each in found.knocked_out_random] == [n for n in (1, 2, 4) for _ in range(N_DRAWS)]
    assert all(others.issuperset(each.heads) for each in found.knocked_out_random)
    by_head = {(each.layer, each.head): each.share for each in found.shares}
    assert all(by_head[each.layer, each.head] == each.share for each in found.random)


def test_chance_is_the_same_each_time_and_another_seed_draws_others() -> None:
    model, own = small("llama").model, patching("llama")
    again, other = (heads_of(model, own, seed)[0] for seed in (0, 1))
    drawn = [[each.heads for each in found.knocked_out_random] for found in (heads("llama"), again, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_an_exchange_that_changes_nothing_does_not_pass_its_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the heads' nor the curves'."""
    from llm_tracker.experiments.passes import interventions

    own = interventions._replacement

    def nothing(change, rows, row, here, columns):  # type: ignore[no-untyped-def]
        return own(change, rows, row, here, columns) if change.site == "attn_out" else rows[row, here, columns]

    monkeypatch.setattr(interventions, "_replacement", nothing)
    _, checks = heads_of(small("llama").model, patching("llama"))
    assert [check.ok for check in checks] == [True, False]
    _, checks = ended(stream_hand_over(patching("llama")))
    assert [check.ok for check in checks] == [False]


def test_heads_that_cannot_be_replaced_are_refused_with_the_reason() -> None:
    with pytest.raises(lt.ModelError, match="“z” cannot be read or replaced"):
        heads_of(small("bloom").model, patching("bloom"))
    case = small_case(tiny("mamba"))
    own = Patching(case.model, read_pair(case.setting, case.case, named_pair(case.case)))
    with pytest.raises(lt.ModelError, match="cannot be read or replaced in this model"):
        heads_of(case.model, own)
