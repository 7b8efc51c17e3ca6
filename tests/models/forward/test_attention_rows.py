"""The pattern row of the last query is the softmax that eager code would make, whatever heads share and masks hide."""

from __future__ import annotations

import pytest
import torch

import llm_tracker as lt
from llm_tracker.models.forward.attention_rows import last_row, weighed, whole_row


def tensors(n_heads: int, n_kv_heads: int, n_queries: int, n_keys: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(n_heads + n_keys)
    query = torch.randn(1, n_heads, n_queries, 8, generator=generator)
    return query, *torch.randn(2, 1, n_kv_heads, n_keys, 8, generator=generator)


@pytest.mark.parametrize("n_kv_heads", [4, 2, 1])
@pytest.mark.parametrize("n_queries", [1, 5])
@pytest.mark.parametrize("scaling", [None, 0.3])
def test_a_row_is_the_softmax_of_the_last_query_with_the_keys_of_its_group(
    n_kv_heads: int, n_queries: int, scaling: float | None
) -> None:
    query, key, _ = tensors(4, n_kv_heads, n_queries, 5)
    row = last_row(query, key, None, scaling)
    for head in range(4):
        scores = key[0, head // (4 // n_kv_heads)] @ query[0, head, -1] * (8**-0.5 if scaling is None else scaling)
        torch.testing.assert_close(row[head], scores.softmax(0))


@pytest.mark.parametrize("is_boolean", [True, False])
def test_what_a_mask_hides_gets_nothing_and_the_rest_sums_to_one(is_boolean: bool) -> None:
    query, key, _ = tensors(4, 2, 3, 6)
    seen = torch.tensor([True, False, True, True, False, True]).expand(1, 1, 3, 6)
    mask = seen if is_boolean else torch.zeros(1, 1, 3, 6).masked_fill(~seen, -torch.inf)
    row = last_row(query, key, mask, None)
    assert row[:, [1, 4]].abs().max() == 0
    torch.testing.assert_close(row.sum(-1), torch.ones(4))


def test_the_output_of_a_row_is_its_values_weighed_head_by_head() -> None:
    query, key, value = tensors(4, 2, 1, 5)
    row = last_row(query, key, None, None)
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
    torch.testing.assert_close(weighed(row, value, torch.float32), expected.transpose(1, 2))


def test_a_sliding_caches_row_has_zeros_for_what_it_has_forgotten() -> None:
    row = torch.full((2, 3), 1 / 3)
    assert whole_row(row, 5).tolist() == [[0, 0, *row[0].tolist()]] * 2
    assert whole_row(row, 3) is row


def test_a_row_with_more_keys_than_tokens_is_not_cut() -> None:
    with pytest.raises(lt.ModelError, match="12 keys for 9 tokens"):
        whole_row(torch.ones(4, 12), 9)
