"""On a GPU attention rows are made when a pass has ended, and are the same rows. Here a CPU is taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from recompute import largest_gaps
from tiny_models import FAMILIES, loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models import attention, late_rows
from llm_tracker.models.attention import RowWatch
from llm_tracker.models.late_rows import LateRow, can_wait, in_batches
from llm_tracker.models.proof import prove

QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. The correct answer is London."


def row_of(layer: int, n_keys: int = 4, scaling: float = 1.0) -> LateRow:
    return LateRow(layer, torch.ones(1, 4, 1, 8), torch.ones(1, 2, n_keys, 8), None, scaling)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Takes the CPU for a GPU; gets the number of rows of every batch that was made late."""
    sizes: list[int] = []

    def noted(batch: list[LateRow]) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(len(batch))
        return late_rows.stacked(batch)

    monkeypatch.setattr(attention, "can_wait", lambda query, _mask: query.shape[0] == query.shape[2] == 1)
    monkeypatch.setattr(attention, "stacked", noted)
    return sizes


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_number_of_a_conversation_is_exact(family: str, waiting: list[int]) -> None:
    model = loaded(tiny_network(family))
    del waiting[:]
    session = lt.track(model, QUESTION, [CORRECTION], max_new_tokens=3, control=True)
    assert max(largest_gaps(model, session).values()) <= 1e-3
    assert bool(waiting) == (model.proof.attention == "sdpa")


def test_the_rows_are_those_that_are_made_layer_by_layer(waiting: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    late = lt.track(loaded(tiny_network("llama")), QUESTION, max_new_tokens=4).turns[0].trace.attention
    assert set(waiting) == {3}
    monkeypatch.setattr(late_rows, "STACKED_BYTES", 1)
    alone = lt.track(loaded(tiny_network("llama")), QUESTION, max_new_tokens=4).turns[0].trace.attention
    assert waiting[-1] == 1
    monkeypatch.undo()
    at_once = lt.track(tiny_model("llama"), QUESTION, max_new_tokens=4).turns[0].trace.attention
    np.testing.assert_allclose(late, at_once, atol=1e-6)
    np.testing.assert_allclose(alone, at_once, atol=1e-6)


def test_rows_of_neighbouring_layers_are_made_together_where_they_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row_of(0), row_of(1), row_of(2, n_keys=3), row_of(3), row_of(4, scaling=2.0)]
    assert [[row.layer for row in batch] for batch in in_batches(rows)] == [[0, 1], [2], [3], [4]]
    monkeypatch.setattr(late_rows, "STACKED_BYTES", 2 * 4 * rows[0].key.numel())
    alike = [row_of(layer) for layer in range(5)]
    assert [[row.layer for row in batch] for batch in in_batches(alike)] == [[0, 1], [2, 3], [4]]


def test_on_a_cpu_and_for_several_queries_or_a_mask_by_head_a_row_does_not_wait() -> None:
    one, mask = torch.empty(1, 4, 1, 8, device="meta"), torch.empty(1, 1, 1, 9, device="meta")
    assert can_wait(one, None)
    assert can_wait(one, mask)
    assert not can_wait(one, mask.expand(1, 4, 1, 9))
    assert not can_wait(torch.empty(1, 4, 2, 8, device="meta"), None)
    assert not can_wait(torch.empty(2, 4, 1, 8, device="meta"), None)
    assert not can_wait(torch.ones(1, 4, 1, 8), None)


@pytest.mark.usefixtures("waiting")
def test_late_rows_that_are_off_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def reversed_keys(batch: list[LateRow]) -> tuple[torch.Tensor, torch.Tensor]:
        query, key = late_rows.stacked(batch)
        return query, key.flip(2)

    monkeypatch.setattr(attention, "stacked", reversed_keys)
    failed = {check.name for check in prove(tiny_network("llama"), lt.ModelAdapter()).checks if not check.ok}
    assert failed == {"live attention rows"}


def test_nothing_is_held_of_a_pass_that_failed() -> None:
    module = torch.nn.Identity()
    seen: list[Any] = []
    watch = RowWatch([module], "sdpa", lambda layer, row: seen.append((layer, row)))

    def failing() -> None:
        with watch.watching():
            watch.put_off(module, torch.ones(1, 4, 1, 8), torch.ones(1, 2, 4, 8), None, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    watch.deliver()
    assert not seen
