"""The same code on a CUDA device gives the numbers of plain transformers on the CPU."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from recompute import largest_gaps
from tiny_models import FAMILIES, loaded, tiny_model, tiny_network

import llm_tracker as lt
from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.analysis.lens.position_tables import position_lens
from llm_tracker.app.work.jobs import Job, run_job
from llm_tracker.cli.main import main
from llm_tracker.models.kernels.matrix_products import choose_kernels
from llm_tracker.models.memory.device_memory import memory_of, require_room

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]
QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. The correct answer is London."


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tinyllama_like(tmp_path_factory.mktemp("checkpoint") / "tinyllama"))


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_conversation_on_the_gpu_is_exact(family: str) -> None:
    model = loaded(tiny_network(family).to("cuda"))
    assert model.device.startswith("cuda")
    session = lt.track(model, QUESTION, [CORRECTION], max_new_tokens=3, control=True)
    assert max(largest_gaps(model, session).values()) <= 2e-3


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_the_lens_of_all_positions_is_that_of_the_cpu(family: str) -> None:
    on_gpu, on_cpu = (loaded(tiny_network(family).to(device)) for device in ("cuda", "cpu"))
    turns = [lt.track(model, QUESTION, max_new_tokens=3).turns[0] for model in (on_gpu, on_cpu)]
    assert turns[0].trace.token_ids.tolist() == turns[1].trace.token_ids.tolist()
    found, expected = position_lens(on_gpu, turns[0]), position_lens(on_cpu, turns[1])
    assert np.abs(found.next_prob - expected.next_prob).max() <= 2e-3
    assert np.abs(found.top_probs - expected.top_probs).max() <= 2e-3


def test_a_bfloat16_lens_on_the_gpu_is_the_bfloat16_models_own_tail() -> None:
    model = loaded(tiny_network("llama").to("cuda", torch.bfloat16))
    trace = lt.track(model, "What is it?", max_new_tokens=3).turns[0].trace
    for step, table in trace.lens.items():
        assert abs(float(table.token_prob[-1]) - float(trace.token_probs[step])) <= 1e-2


def test_a_seed_draws_the_tokens_that_it_draws_on_the_cpu() -> None:
    drawn = [
        lt.track(model, QUESTION, max_new_tokens=8, temperature=1.0, seed=3).turns[0].trace.token_ids.tolist()
        for model in (loaded(tiny_network("llama").to("cuda")), tiny_model("llama"))
    ]
    assert drawn[0] == drawn[1]


def test_the_device_is_chosen_by_itself_and_by_name(checkpoint: str) -> None:
    assert lt.load_model(checkpoint).device.startswith("cuda")
    assert lt.load_model(checkpoint, device="cpu").device == "cpu"
    assert lt.load_model(checkpoint, device="cuda", dtype="float32").dtype == "float32"


def test_the_command_line_asks_on_the_gpu(checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", QUESTION, "--model", checkpoint, "--device", "cuda", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["device"].startswith("cuda")


def test_kernels_are_a_matter_of_the_cpu() -> None:
    assert choose_kernels(tiny_network("llama").to("cuda")) is None


def test_memory_that_was_freed_is_room_again_though_torch_keeps_it() -> None:
    size = 2**28
    weights = torch.empty(size, dtype=torch.uint8, device="cuda")
    _, held = memory_of("cuda")
    del weights
    assert torch.cuda.memory_reserved() >= size
    assert memory_of("cuda")[1] <= held - size


def test_what_the_device_cannot_hold_is_refused_with_the_figures() -> None:
    limit, _ = memory_of("cuda")
    with pytest.raises(lt.ModelError, match=r"does not fit: .* the device cuda allows .*--device cpu"):
        require_room(limit, "cuda")


def test_memory_that_runs_out_is_a_sentence_and_the_model_goes_on() -> None:
    model = loaded(tiny_network("llama").to("cuda"))

    def too_much(_layer: Any, _args: Any) -> None:
        torch.empty(2**40, device="cuda")

    asked = Job("ask")
    hook = model.layers[1].register_forward_pre_hook(too_much)
    run_job(asked, lambda _job: lt.track(model, QUESTION, max_new_tokens=3))
    hook.remove()
    assert asked.error.startswith("The memory ran out (CUDA out of memory.")
    session = lt.track(model, QUESTION, max_new_tokens=3)
    assert max(largest_gaps(model, session).values()) <= 2e-3
