"""A norm with its scale held is a linear map that does to its row what the norm does."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.models.cohere.modeling_cohere import CohereLayerNorm
from transformers.models.gemma2.modeling_gemma2 import Gemma2RMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from llm_tracker.experiments.frozen_norm import frozen_norm

WIDTH = 24


def rows(seed: int = 0, n: int = 3) -> torch.Tensor:
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(seed)) * 5 + 1


def norm(kind: str) -> nn.Module:
    made = {
        "LlamaRMSNorm": LlamaRMSNorm(WIDTH),
        "Gemma2RMSNorm": Gemma2RMSNorm(WIDTH),
        "CohereLayerNorm": CohereLayerNorm(WIDTH),
        "LayerNorm": nn.LayerNorm(WIDTH),
        "RMSNorm": nn.RMSNorm(WIDTH),
    }[kind]
    for at, weight in enumerate(made.parameters()):
        weight.data = weight.data + rows(at + 7, 1)[0] / 5
    return made


@torch.no_grad()
@pytest.mark.parametrize("kind", ["LlamaRMSNorm", "Gemma2RMSNorm", "CohereLayerNorm", "LayerNorm", "RMSNorm"])
def test_it_is_what_the_norm_is_at_these_rows_and_linear_in_what_is_put_in(kind: str) -> None:
    own, given = norm(kind), rows()
    held = frozen_norm(own, given)
    assert held is not None
    assert torch.allclose(held.of(given), own(given), atol=1e-5)
    assert held.is_centred == kind.endswith("LayerNorm")
    assert bool(held.shift.abs().max() > 0) == (kind == "LayerNorm")
    one, other = rows(1), rows(2)
    together = held.of(one) + held.of(other) - held.shift
    assert torch.allclose(held.of(one + other), together, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["LlamaRMSNorm", "LayerNorm"])
def test_a_slope_behind_it_is_a_slope_in_front_of_it(kind: str) -> None:
    given, slope = rows(n=1)[0], rows(5, 1)[0]
    held = frozen_norm(norm(kind), given)
    assert held is not None
    expected = float(slope @ (held.of(given) - held.shift))
    assert float(held.pulled_back(slope) @ given) == pytest.approx(expected, rel=1e-5)


def test_the_gradient_of_the_held_norm_is_that_of_a_norm_with_a_detached_scale() -> None:
    own, given = norm("LlamaRMSNorm").requires_grad_(False), rows(n=1)[0].requires_grad_()
    held = frozen_norm(own, given.detach())
    assert held is not None
    scale = torch.rsqrt(given.detach().pow(2).mean() + own.variance_epsilon)
    (slope,) = torch.autograd.grad((given * scale * own.weight).sum(), given)
    assert torch.allclose(held.pulled_back(torch.ones(WIDTH)), slope, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("other", [nn.SiLU(), nn.Tanh(), nn.Softmax(-1), nn.Linear(WIDTH, WIDTH)])
def test_what_is_no_norm_is_seen_to_be_none(other: nn.Module) -> None:
    assert frozen_norm(other, rows()) is None
