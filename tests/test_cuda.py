"""The same code on a CUDA device gives the numbers of plain transformers on the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from recompute import largest_gaps
from tiny_models import loaded, tiny_network

import llm_tracker as lt
from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.analysis.position_reading import position_lens
from llm_tracker.models.kernels import choose_kernels

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]
QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. The correct answer is London."


@pytest.mark.parametrize("family", ["llama", "gemma2", "granite", "mistral"])
def test_a_conversation_on_the_gpu_is_exact(family: str) -> None:
    model = loaded(tiny_network(family).to("cuda"))
    assert model.device.startswith("cuda")
    session = lt.track(model, QUESTION, [CORRECTION], max_new_tokens=3, control=True)
    assert max(largest_gaps(model, session).values()) <= 2e-3
    assert position_lens(model, session.turns[0]).next_prob.shape[0] == model.proof.n_layers


def test_the_device_is_chosen_by_itself_and_by_name(tmp_path: Path) -> None:
    checkpoint = str(write_tinyllama_like(tmp_path / "tinyllama"))
    assert lt.load_model(checkpoint).device.startswith("cuda")
    assert lt.load_model(checkpoint, device="cpu").device == "cpu"
    assert lt.load_model(checkpoint, device="cuda", dtype="float32").dtype == "float32"


def test_kernels_are_a_matter_of_the_cpu() -> None:
    assert choose_kernels(tiny_network("llama").to("cuda")) is None
