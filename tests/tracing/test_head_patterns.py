"""One head's pattern over a whole text, and attention weighed by values: computed another way by plain transformers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from recompute import Recomputed
from tiny_models import FAMILIES, tiny_model

import llm_tracker as lt
from llm_tracker.progress import ended
from llm_tracker.tracing.rereading import head_patterns, text_chunks
from llm_tracker.tracing.rereading.head_patterns import stream_head_pattern
from llm_tracker.tracing.rereading.value_weights import stream_value_weights

QUESTION = "What is the capital of France?"


def answered(model: lt.LoadedModel) -> lt.Turn:
    return lt.track(model, QUESTION, recipe="chat", max_new_tokens=3).turns[0]


def ids_of(turn: lt.Turn) -> list[int]:
    return [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_heads_pattern_is_that_of_plain_transformers(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_chunks, "CHUNK_POSITIONS", 11)
    model = tiny_model(family)
    turn = answered(model)
    truth = Recomputed(model, turn)
    for layer, head in ((1, 1), (2, 4), (3, 2)):
        found = ended(stream_head_pattern(model, ids_of(turn), layer, head))
        np.testing.assert_allclose(found.weights, truth.patterns[layer - 1][head - 1], atol=1e-4)
    kept = turn.trace.attention[1, 2, 1]
    np.testing.assert_allclose(found.weights[turn.trace.prompt_length, : len(kept)], kept, atol=1e-4)


def test_of_a_text_too_long_to_keep_the_last_queries_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    turn = answered(model)
    ids = ids_of(turn)
    whole = ended(stream_head_pattern(model, ids, 2, 3))
    monkeypatch.setattr(head_patterns, "MOST_BYTES", 4 * len(ids) * 7)
    monkeypatch.setattr(text_chunks, "CHUNK_POSITIONS", 5)
    part = ended(stream_head_pattern(model, ids, 2, 3))
    assert (part.first_query, part.weights.shape) == (len(ids) - 7, (7, len(ids)))
    np.testing.assert_allclose(part.weights, whole.weights[-7:], atol=1e-5)


def test_it_says_how_far_it_is_and_stops_between_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_chunks, "CHUNK_POSITIONS", 5)
    model = tiny_model("llama")
    ids = ids_of(answered(model))
    shares = list(stream_head_pattern(model, ids, 1, 1))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    count = iter(range(100))
    with pytest.raises(lt.Cancelled):
        list(stream_head_pattern(model, ids, 1, 1, lambda: next(count) > 1))


def test_a_head_that_is_not_there_is_refused() -> None:
    model = tiny_model("llama")
    with pytest.raises(lt.InputError, match="no layer 9"):
        next(stream_head_pattern(model, [3, 4], 9, 1))
    with pytest.raises(lt.InputError, match="no head 5"):
        next(stream_head_pattern(model, [3, 4], 1, 5))


@torch.no_grad()
@pytest.mark.parametrize("family", ["llama", "mistral", "gpt2", "gpt_neox", "gemma3_text", "granite"])
def test_value_weights_are_the_lengths_of_what_each_position_adds(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_chunks, "CHUNK_POSITIONS", 11)
    model = tiny_model(family)
    turn = answered(model)
    step = 1
    found = ended(stream_value_weights(model, turn, step))
    truth = Recomputed(model, turn)
    length = turn.trace.prompt_length + step
    for layer in range(3):
        values, project = _values_and_projection(truth, model, turn, layer)
        pattern = torch.tensor(truth.pattern(step, layer))  # (head, key)
        bias = project(torch.zeros(1, values.shape[0] * values.shape[2]))
        together = torch.zeros(length, bias.shape[1])
        for head in range(len(pattern)):
            z = torch.zeros(length, *values.shape[::2])  # (key, head, d_head)
            z[:, head] = pattern[head][:, None] * values[head, :length]
            added = project(z.flatten(1)) - bias
            together += added
            np.testing.assert_allclose(found.by_head[layer, head], added.norm(dim=-1), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found.joint[layer], together.norm(dim=-1), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.head_shares.sum(-1), 1, atol=1e-5)


def _values_and_projection(
    truth: Recomputed, model: lt.LoadedModel, turn: lt.Turn, layer: int
) -> tuple[torch.Tensor, torch.nn.Module]:
    """The values (head, key, d_head) of a plain network, and its output projection, found by their usual names."""
    attention = next(
        module
        for name, module in truth.layers[layer].named_modules()
        if name in ("self_attn", "attn", "attention") and isinstance(module, torch.nn.Module)
    )
    n_heads = turn.trace.heads[layer]
    seen: list[torch.Tensor] = []
    names = ("v_proj", "c_attn", "query_key_value")
    fused = next(getattr(attention, name) for name in names if hasattr(attention, name))
    hook = fused.register_forward_hook(lambda _m, _a, out: seen.append(out[0]))
    with torch.no_grad():
        truth.network(torch.tensor([ids_of(turn)]), use_cache=False)
    hook.remove()
    given = seen[0]
    if hasattr(attention, "query_key_value"):
        given = given.view(len(given), n_heads, 3, -1)[:, :, 2].flatten(1)
    elif hasattr(attention, "c_attn"):
        given = given.chunk(3, -1)[2]
    output = next(getattr(attention, name) for name in ("o_proj", "c_proj", "dense") if hasattr(attention, name))
    width = getattr(output, "in_features", None) or output.weight.shape[0]
    by_kv_head = given.view(len(given), -1, width // n_heads).transpose(0, 1)

    return by_kv_head.repeat_interleave(n_heads // len(by_kv_head), dim=0), output


def test_what_all_positions_add_is_what_attention_gives() -> None:
    model = tiny_model("llama")
    turn = answered(model)
    weights = ended(stream_value_weights(model, turn, 0))
    attended = turn.trace.attention[0, :, :, : turn.trace.prompt_length]
    assert (weights.by_head[attended == 0] == 0).all()
    assert (weights.by_head[attended > 1e-3] > 0).all()
    trace = turn.trace
    mean = trace.attention.mean(2)
    short = replace(turn, trace=replace(trace, attention=trace.attention[:1], attention_mean=mean))
    with pytest.raises(lt.InputError, match="kept up to token 1"):
        next(stream_value_weights(model, short, 2))
    with pytest.raises(lt.InputError, match="There is no step 7: this answer has steps 0 to 2"):
        next(stream_value_weights(model, turn, 7))
