"""On a GPU attention rows are made when a pass has ended, and are the same rows. Here a CPU is taken for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from recompute import largest_gaps
from tiny_models import FAMILIES, loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.app.work.jobs import Job, run_job
from llm_tracker.models.forward import attention_rows, deferred_rows
from llm_tracker.models.forward.attention_rows import RowRecorder
from llm_tracker.models.forward.deferred_rows import DeferredRow, can_wait, in_batches
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import ADVICE, require_exact

LAYERS_IN_TURN = ["sliding_attention", "full_attention"] * 3
QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. The correct answer is London."


def row_of(layer: int, n_keys: int = 4, scaling: float = 1.0) -> DeferredRow:
    return DeferredRow(layer, torch.ones(1, 4, 1, 8), torch.ones(1, 2, n_keys, 8), None, scaling)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Takes the CPU for a GPU; gets the number of rows of every batch that was made late."""
    sizes: list[int] = []

    def noted(batch: list[DeferredRow]) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(len(batch))
        return deferred_rows.stacked(batch)

    monkeypatch.setattr(attention_rows, "can_wait", lambda query, _mask: query.shape[0] == query.shape[2] == 1)
    monkeypatch.setattr(attention_rows, "stacked", noted)
    return sizes


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_number_of_a_conversation_is_exact(family: str, waiting: list[int]) -> None:
    model = loaded(tiny_network(family))
    del waiting[:]
    session = lt.track(model, QUESTION, [CORRECTION], max_new_tokens=3, control=True)
    assert max(largest_gaps(model, session).values()) <= 1e-3
    assert bool(waiting) == (model.way.attention == "sdpa")


def test_the_rows_are_those_that_are_made_layer_by_layer(waiting: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    late = lt.track(loaded(tiny_network("llama")), QUESTION, max_new_tokens=4).turns[0].trace.attention
    assert set(waiting) == {3}
    monkeypatch.setattr(deferred_rows, "STACKED_BYTES", 1)
    alone = lt.track(loaded(tiny_network("llama")), QUESTION, max_new_tokens=4).turns[0].trace.attention
    assert waiting[-1] == 1
    monkeypatch.undo()
    at_once = lt.track(tiny_model("llama"), QUESTION, max_new_tokens=4).turns[0].trace.attention
    np.testing.assert_allclose(late, at_once, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(alone, at_once, rtol=1e-5, atol=1e-6)


def test_rows_are_made_together_where_they_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row_of(0), row_of(1, n_keys=3), row_of(2), row_of(3, n_keys=3), row_of(4, scaling=2.0)]
    assert [[row.layer for row in batch] for batch in in_batches(rows)] == [[0, 2], [1, 3], [4]]
    monkeypatch.setattr(deferred_rows, "STACKED_BYTES", 2 * 4 * rows[0].key.numel())
    alike = [row_of(layer) for layer in range(5)]
    assert [[row.layer for row in batch] for batch in in_batches(alike)] == [[0, 1], [2, 3], [4]]


def test_the_keys_of_a_row_that_is_made_alone_are_not_copied() -> None:
    row = row_of(0)
    assert deferred_rows.stacked([row])[1] is row.key


def test_layers_of_two_kinds_in_turn_are_two_batches(waiting: list[int]) -> None:
    model = loaded(tiny_network("gemma3_text", num_hidden_layers=6, layer_types=LAYERS_IN_TURN))
    del waiting[:]
    session = lt.track(model, QUESTION, max_new_tokens=3)
    assert waiting == [3, 3] * (session.turns[0].trace.n_steps - 1)
    assert max(largest_gaps(model, session).values()) <= 1e-3


def test_on_a_cpu_and_for_several_queries_or_a_mask_by_head_a_row_does_not_wait() -> None:
    one, mask = torch.empty(1, 4, 1, 8, device="meta"), torch.empty(1, 1, 1, 9, device="meta")
    assert can_wait(one, None)
    assert can_wait(one, mask)
    assert not can_wait(one, mask.expand(1, 4, 1, 9))
    assert not can_wait(torch.empty(1, 4, 2, 8, device="meta"), None)
    assert not can_wait(torch.empty(2, 4, 1, 8, device="meta"), None)
    assert not can_wait(torch.ones(1, 4, 1, 8), None)


def reversed_keys(row: DeferredRow) -> DeferredRow:
    return replace(row, key=row.key.flip(2))


def all_but_the_first(batch: list[DeferredRow]) -> list[DeferredRow]:
    return [*batch[:1], *map(reversed_keys, batch[1:])]


def swapped(batch: list[DeferredRow]) -> list[DeferredRow]:
    return [batch[0], *reversed(batch[1:])]


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("spread", [0.3, 0.02])
@pytest.mark.parametrize("off", [all_but_the_first, swapped])
def test_deferred_rows_that_are_off_are_refused(
    off: Callable[[list[DeferredRow]], list[DeferredRow]],
    spread: float,
    dtype: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attention_rows, "stacked", lambda batch: deferred_rows.stacked(off(batch)))
    network = tiny_network("llama", initializer_range=spread).to(dtype)
    examination = prove(network, lt.ModelAdapter())
    assert "rows made together" in {check.name for check in examination.proof.checks if not check.ok}
    with pytest.raises(lt.ModelError, match="does not read “llama” exactly"):
        require_exact(lt.ModelAdapter(), examination)


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_whatever_a_proof_finds_off_has_its_advice(dtype: torch.dtype) -> None:
    names = {check.name for check in prove(tiny_network("llama").to(dtype), lt.ModelAdapter()).proof.checks}
    assert "rows made together" in names
    assert names <= ADVICE.keys()


def test_memory_that_runs_out_while_a_token_is_read_is_a_sentence_and_the_next_answer_is_exact(
    waiting: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(tiny_network("llama"))
    del waiting[:]
    full = [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")]
    real = attention_rows.stacked

    def without_room(batch: list[DeferredRow]) -> tuple[torch.Tensor, torch.Tensor]:
        if full:
            raise full.pop()
        return real(batch)

    monkeypatch.setattr(attention_rows, "stacked", without_room)
    asked = Job("ask")
    run_job(asked, lambda _job: lt.track(model, QUESTION, max_new_tokens=3))
    assert asked.error.startswith("The memory ran out (CUDA out of memory. Tried to allocate 20.00 MiB.).")
    session = lt.track(model, QUESTION, max_new_tokens=3)
    assert waiting
    assert max(largest_gaps(model, session).values()) <= 1e-3


def test_nothing_is_held_of_a_pass_that_failed() -> None:
    module = torch.nn.Identity()
    seen: list[Any] = []
    watch = RowRecorder([module], "sdpa", lambda layer, row: seen.append((layer, row)))

    def failing() -> None:
        with watch.recording():
            watch.put_off(module, torch.ones(1, 4, 1, 8), torch.ones(1, 2, 4, 8), None, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    watch.deliver()
    assert not seen
