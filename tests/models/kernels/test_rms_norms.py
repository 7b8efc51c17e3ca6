"""A norm that reads a single row in fewer steps gives what its own code gives, and any other norm is left alone."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from tiny_models import tiny_network
from torch import Tensor, nn

import llm_tracker as lt
from llm_tracker.models.kernels.matrix_products import computing_otherwise, plain_kernels
from llm_tracker.models.kernels.rms_norms import quicken_norms
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.runs import kernel_gap

FORMATS = (torch.float32, torch.bfloat16, torch.float16)


class LlamaLike(nn.Module):
    """The norm that most families write, with a step that a test may change."""

    def __init__(self, d_model: int = 24, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 2, d_model))
        self.variance_epsilon = epsilon

    def forward(self, hidden_states: Tensor) -> Tensor:
        rows = hidden_states.float()
        rows = rows * torch.rsqrt(rows.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        return self.weight * rows.to(hidden_states.dtype)


class AddsOne(LlamaLike):
    """Gemma's weight is counted from one."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        rows = hidden_states.float()
        rows = rows * torch.rsqrt(rows.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        return (rows * (1 + self.weight.float())).to(hidden_states.dtype)


class RoundsLast(LlamaLike):
    """GPT-OSS's norm weighs before it rounds: in float32 that is the same."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        rows = hidden_states.float()
        rows = rows * torch.rsqrt(rows.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        return (self.weight.float() * rows).to(hidden_states.dtype)


class AnotherEpsilon(LlamaLike):
    def forward(self, hidden_states: Tensor) -> Tensor:
        rows = hidden_states.float()
        rows = rows * torch.rsqrt(rows.pow(2).mean(-1, keepdim=True) + 2 * self.variance_epsilon)
        return self.weight * rows.to(hidden_states.dtype)


class Centres(LlamaLike):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return super().forward(hidden_states - hidden_states.mean(-1, keepdim=True))


class Gated(LlamaLike):
    def forward(self, hidden_states: Tensor, gate: Tensor | None = None) -> Tensor:
        return super().forward(hidden_states if gate is None else hidden_states * gate)


def quickened(norm: Any, dtype: torch.dtype = torch.float32) -> Any:
    norm = norm.to(dtype)
    quicken_norms(norm)
    return norm


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("size", [1e-4, 1.0, 300.0])
def test_a_row_is_no_farther_from_float64_than_its_own_code_leaves_it(size: float, dtype: torch.dtype) -> None:
    norm = quickened(LlamaLike(), dtype)
    assert computing_otherwise(norm) == [norm]
    row = (size * torch.randn((1, 1, 24), generator=torch.Generator().manual_seed(3))).to(dtype)
    with torch.inference_mode():
        ours, own = norm(row), LlamaLike.forward(norm, row)
    assert (ours.shape, ours.dtype) == (own.shape, own.dtype)
    steps = torch.finfo(dtype).eps * own.abs().float()
    assert ((ours.float() - own.float()).abs() <= 4 * steps).all()
    if dtype == torch.float32:
        weight = torch.linspace(-1, 2, 24)
        by_hand = row.double() / (row.double().pow(2).mean() + 1e-5).sqrt() * weight.double()
        assert (ours.double() - by_hand).abs().max() <= 1e-6 * by_hand.abs().max()


@pytest.mark.parametrize("kind", [AddsOne, AnotherEpsilon, Centres, Gated])
def test_a_norm_that_computes_in_another_way_is_left_alone(kind: type[LlamaLike]) -> None:
    assert type(quickened(kind())) is kind


def test_the_order_of_rounding_counts_in_16_bits() -> None:
    assert computing_otherwise(quickened(RoundsLast(240)))
    assert not computing_otherwise(quickened(RoundsLast(240), torch.bfloat16))


def test_a_norm_without_a_weight_or_an_epsilon_of_its_own_is_left_alone() -> None:
    assert quicken_norms(nn.LayerNorm(8)) == quicken_norms(nn.Linear(8, 8)) == 0
    assert quicken_norms(LlamaLike(epsilon=0.0)) == 0


def test_several_rows_gradients_and_other_formats_go_the_way_that_is_written() -> None:
    norm, rows = quickened(LlamaLike()), torch.randn((1, 3, 24), generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        assert torch.equal(norm(rows), LlamaLike.forward(norm, rows))
        row = rows[:, :1].double()
        assert norm(row).dtype == torch.float64
    norm(rows[:, :1]).sum().backward()
    assert norm.weight.grad.abs().max() > 0


def test_a_row_that_is_a_view_of_many_is_read_as_it_is_and_not_written_to() -> None:
    norm = quickened(LlamaLike())
    rows = torch.randn((1, 24, 5), generator=torch.Generator().manual_seed(5)).mT  # no row lies in one piece
    before = rows.clone()
    with torch.inference_mode():
        ours = norm(rows[:, 2:3])
        assert torch.allclose(ours, LlamaLike.forward(norm, rows)[:, 2:3], atol=1e-6)
    assert torch.equal(rows, before)


def test_what_is_done_to_a_weight_later_counts() -> None:
    norm, row = quickened(LlamaLike()), torch.ones(1, 1, 24)
    with torch.no_grad():
        norm.weight.zero_()
        assert norm(row).abs().max() == 0
        twin = copy.deepcopy(norm)
        twin.weight.fill_(3.0)
        assert twin(row).mean().item() == pytest.approx(3, rel=1e-4)
        assert norm(row).abs().max() == 0


def test_another_format_than_was_tried_goes_the_way_that_is_written() -> None:
    norm = quickened(RoundsLast(240))
    row = torch.randn((1, 1, 240), generator=torch.Generator().manual_seed(6)).bfloat16()
    norm.bfloat16()
    with torch.inference_mode():
        assert torch.equal(norm(row), RoundsLast.forward(norm, row))


def test_a_norm_that_takes_no_row_by_itself_is_left_alone() -> None:
    class OfFour(LlamaLike):
        def forward(self, hidden_states: Tensor) -> Tensor:
            _batch, _head, _position, _width = hidden_states.shape
            return super().forward(hidden_states)

    class InATuple(LlamaLike):
        def forward(self, hidden_states: Tensor) -> Any:
            return (super().forward(hidden_states),)

    assert quicken_norms(OfFour()) == quicken_norms(InATuple()) == 0


def test_what_is_quick_is_not_quickened_again_and_is_kept_as_it_was_written() -> None:
    norm = quickened(LlamaLike())
    assert quicken_norms(norm) == 0
    with plain_kernels(norm):
        assert type(norm) is LlamaLike
    kept = pickle.loads(pickle.dumps(norm))
    assert type(kept) is type(copy.deepcopy(norm)) is LlamaLike
    assert torch.equal(kept.weight, norm.weight)


def test_a_network_decodes_the_same_token_by_token() -> None:
    network, ids = tiny_network("llama"), torch.arange(3, 40)[None]

    def decoded() -> Tensor:
        cache, logits = None, []
        for token in ids[0]:
            output = network(token[None, None], past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            logits.append(output.logits[0, -1])
        return torch.stack(logits)

    with torch.inference_mode():
        before = decoded()
        assert quicken_norms(network) == 7
        after = decoded()
        with plain_kernels(network):
            again = decoded()
    assert torch.equal(again, before)
    assert 0 < (after - before).abs().max() < 1e-4


def test_a_quick_norm_that_is_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network("llama")
    quicken_norms(network)
    norm = type(network.model.norm)
    own = norm.forward
    monkeypatch.setattr(norm, "forward", lambda self, rows: own(self, rows) * 1.001)
    with torch.inference_mode():
        assert kernel_gap(network) > 1e-4
    assert "kernels" in {check.name for check in prove(network, lt.ModelAdapter()).checks if not check.ok}


@pytest.mark.real
def test_all_norms_of_the_built_in_model_read_a_row_in_fewer_steps(embedded: lt.LoadedModel) -> None:
    norms = [each for each in computing_otherwise(embedded.model) if not isinstance(each, nn.Linear)]
    assert len(norms) == 2 * len(embedded.layers) + 1
    assert all(check.ok for check in embedded.proof.checks)
