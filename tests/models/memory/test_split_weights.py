"""Weights that are not there when nobody runs their module: they can be read, and nothing is computed without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from split_models import write_tiny

import llm_tracker as lt
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.memory.split_weights import (
    bytes_by_place,
    in_place,
    input_device,
    is_offloaded,
    standing_alone,
    watched,
    weights_once,
)

ON_DISK = {"": "disk", "transformer.h.1": "cpu"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny("gpt2", tmp_path_factory.mktemp("gpt2") / "model"))


@pytest.fixture(scope="module")
def whole(directory: str) -> Any:
    return lt.load_model(directory).model


@pytest.fixture(scope="module")
def split(directory: str) -> Any:
    return lt.load_model(directory, device=ON_DISK).model


def test_a_split_model_takes_its_tokens_where_it_runs(split: Any, whole: Any) -> None:
    assert is_offloaded(split)
    assert split.device.type == "meta"
    assert input_device(split) == input_device(whole) == torch.device("cpu")


def test_weights_are_read_in_place_and_gone_behind_it(split: Any, whole: Any) -> None:
    projection, own = split.transformer.h[0].mlp.c_fc, whole.transformer.h[0].mlp.c_fc
    with in_place(projection):
        assert torch.equal(projection.weight, own.weight)
        assert torch.equal(projection.bias, own.bias)
    assert projection.weight.is_meta
    with in_place(own):
        assert not own.weight.is_meta


def test_a_module_that_stands_alone_runs_as_its_twin_and_leaves_its_own_as_it_was(split: Any, whole: Any) -> None:
    rows = torch.randn(1, 5, 32)
    alone = standing_alone(split.transformer.h[0].mlp)
    with torch.inference_mode():
        assert torch.equal(alone(rows), whole.transformer.h[0].mlp(rows))
    assert not is_offloaded(alone)
    assert is_offloaded(split.transformer.h[0].mlp)
    assert standing_alone(whole.transformer.h[0]) is whole.transformer.h[0]


def test_shared_weights_are_told_once_before_a_pass_and_after_it(split: Any, whole: Any) -> None:
    expected = [(name, weight.shape) for name, weight in whole.named_parameters()]
    for _ in range(2):
        assert [(name, weight.shape) for name, weight in weights_once(split)] == expected
        with torch.inference_mode():
            forward(split, torch.ones((1, 3), dtype=torch.long))
    n_bytes = sum(4 * weight.numel() for weight in whole.transformer.h[1].parameters())
    assert bytes_by_place(split) == {"cpu": n_bytes, "disk": bytes_by_place(whole)["cpu"] - n_bytes}
    assert list(bytes_by_place(split)) == ["cpu", "disk"]


MIXED: dict[str, Callable[[torch.Tensor, torch.Tensor], Any]] = {
    "matmul": lambda rows, weight: rows @ weight,
    "linear": lambda rows, weight: torch.nn.functional.linear(rows, weight),
    "cat": lambda rows, weight: torch.cat([rows, weight]),
    "where": lambda rows, weight: torch.where(rows > 0, input=rows, other=weight),
}


@pytest.mark.parametrize("name", MIXED)
def test_nothing_is_computed_of_a_weight_that_is_not_there(name: str, split: Any, whole: Any) -> None:
    rows, weight = torch.ones(4, 4), torch.empty(4, 4, device="meta")
    with watched(split):
        assert (MIXED[name](rows, rows).isfinite()).all()
        assert weight.float().is_meta, "what has no numbers may be passed on"
        with pytest.raises(lt.ModelRefusedError, match=r"would give other numbers: .* Load it on one device"):
            MIXED[name](rows, weight)
    with watched(whole):
        assert MIXED[name](rows, rows).shape[-1] == 4


def test_torch_itself_does_not_refuse_it() -> None:
    """Else nothing would have to be watched: this is why it is."""
    weight = torch.empty(4, 4, device="meta")
    assert not torch.nn.functional.linear(torch.ones(4, 4), weight).is_meta


def test_a_pass_of_a_split_model_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = lt.load_model(
        str(write_tiny("llama", tmp_path / "model")), device={"": "cpu", "lm_head": "disk"}
    ).model
    own = model.model.norm.forward
    monkeypatch.setattr(model.model.norm, "forward", lambda rows: own(rows) @ model.lm_head.weight.T[:, :32])
    with pytest.raises(lt.ModelRefusedError, match=r"other numbers: .* \(matmul|__matmul__\)"):
        forward(model, torch.ones((1, 3), dtype=torch.long))
