"""Every number against plain transformers with eager attention: random models of all families, and the real one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recompute import Recomputed, largest_gaps
from tiny_models import FAMILIES, loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.tracing.recorder import Recorder

BOUND = 1e-3
CORRECTION = ["That is wrong. The correct answer is London."]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_session_of_a_random_model_is_exact(family: str) -> None:
    model = tiny_model(family)
    session = lt.track(model, "What is the capital of France?", CORRECTION, recipe="chat", max_new_tokens=6)
    gaps = largest_gaps(model, session)
    assert {name: gap for name, gap in gaps.items() if gap > BOUND} == {}


@pytest.mark.real
def test_the_newcomers_session_is_exact(embedded: lt.LoadedModel, paris: lt.Session) -> None:
    gaps = largest_gaps(embedded, paris)
    assert {name: gap for name, gap in gaps.items() if gap > BOUND} == {}


@pytest.mark.real
def test_the_last_layers_lens_is_the_models_own_softmax(embedded: lt.LoadedModel, paris: lt.Session) -> None:
    for turn in paris.turns:
        for step, table in turn.trace.lens.items():
            assert abs(float(table.token_prob[-1]) - float(turn.trace.token_probs[step])) <= 1e-5
            assert np.abs(table.top_probs[-1] - turn.trace.top_probs[step, : table.top_probs.shape[1]]).max() <= 1e-5


@pytest.mark.parametrize("family", ["llama", "gemma2", "granite"])
def test_the_last_layers_lens_of_a_random_model_is_its_own_softmax(family: str) -> None:
    session = lt.track(tiny_model(family), "What is it?", max_new_tokens=4)
    trace = session.turns[0].trace
    for step, table in trace.lens.items():
        assert abs(float(table.token_prob[-1]) - float(trace.token_probs[step])) <= 1e-5


def test_a_double_norm_would_be_seen() -> None:
    model = tiny_model("llama")
    model.model.model.norm.weight.data *= torch.linspace(0.5, 2, 32)
    turn = lt.track(model, "What is it?", max_new_tokens=1).turns[0]
    rows = torch.tensor(turn.trace.resid[0, -1:])
    once = model.adapter.logits(model.model, rows).softmax(-1)
    twice = model.adapter.logits(model.model, model.adapter.final_norm(model.model, rows)).softmax(-1)
    assert 0.5 * (once - twice).abs().sum().item() > 0.1


def test_a_window_that_slides_over_a_long_text_stays_exact() -> None:
    model = tiny_model("mistral")
    session = lt.track(model, "word " * 40, recipe="raw", max_new_tokens=5)
    assert max(largest_gaps(model, session).values()) <= BOUND
    trace = session.turns[0].trace
    assert float(trace.attention[0, 0, :, : trace.prompt_length - 6].sum()) == 0


def test_greedy_tokens_are_those_of_plain_generate() -> None:
    model = tiny_model("llama")
    turn = lt.track(model, "What is the capital?", recipe="chat", max_new_tokens=10).turns[0]
    prompt = torch.tensor([turn.prompt.token_ids])
    plain = model.model.generate(prompt, do_sample=False, max_new_tokens=10, pad_token_id=2)[0, prompt.shape[1] :]
    assert turn.trace.token_ids.tolist() == plain.tolist()


def test_past_the_byte_budget_the_mean_over_heads_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    whole = lt.track(model, "What is it?", max_new_tokens=6).turns[0]
    if whole.trace.n_steps < 3:
        pytest.fail("the random model stopped too early to fill a budget")
    small = int(whole.trace.attention[:2].nbytes)
    monkeypatch.setattr(Recorder.__init__, "__defaults__", (small,))
    session = lt.track(model, "What is it?", max_new_tokens=6)
    trace = session.turns[0].trace
    assert 0 < len(trace.attention) < trace.n_steps
    assert trace.attention_mean is not None
    assert trace.attention_mean.shape[0] == trace.n_steps
    assert max(largest_gaps(model, session).values()) <= BOUND


def test_a_bfloat16_lens_is_the_bfloat16_models_own_tail() -> None:
    model = loaded(tiny_network("llama").bfloat16())
    trace = lt.track(model, "What is it?", max_new_tokens=3).turns[0].trace
    for step, table in trace.lens.items():
        assert abs(float(table.token_prob[-1]) - float(trace.token_probs[step])) <= 1e-2


def test_the_yardstick_itself_differs_from_a_model_with_other_weights() -> None:
    model, other = tiny_model("llama"), tiny_model("llama")
    other.model.model.layers[1].mlp.down_proj.weight.data += 0.1
    turn = lt.track(model, "What is it?", max_new_tokens=1).turns[0]
    gap = (Recomputed(model, turn).logits - Recomputed(other, turn).logits).abs().max().item()
    assert gap > BOUND
