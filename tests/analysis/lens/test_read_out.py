"""Rows through the model's tail, chunk by chunk, are what one product and one sort of everything would give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recompute import Recomputed
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.lens import position_tables as position_reading
from llm_tracker.analysis.lens import read_out as read_outs
from llm_tracker.analysis.lens.position_tables import position_lens, stream_position_lens
from llm_tracker.analysis.lens.read_out import best_of, block_maxima, read_out
from llm_tracker.tracing import resid_by_position as reading
from llm_tracker.tracing.resid_by_position import read_positions

QUESTION = "What is the capital of France?"


@pytest.mark.parametrize("vocab_size", [7, 320, 1024, 5000, 49152])
def test_the_best_of_blocks_are_the_best_of_all(vocab_size: int) -> None:
    generator = torch.Generator().manual_seed(vocab_size)
    logits = torch.randn(9, vocab_size, generator=generator)
    logits[0, -3:] = torch.tensor([7.0, 9.0, 8.0])  # in what is left behind the last whole block
    logits[1] = torch.arange(vocab_size)
    logits[2] = -torch.arange(vocab_size)
    values, ids = best_of(logits, block_maxima(logits), 5)
    expected = logits.topk(5)
    assert torch.equal(values, expected.values)
    assert torch.equal(logits.gather(1, ids), values)
    assert torch.equal(ids, expected.indices)


def test_chunks_are_what_the_whole_is(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("gemma2")
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((23, 32), dtype=np.float32)
    asked = generator.integers(0, model.config.vocab_size, (23, 2))
    whole = read_out(model, rows, asked, 4)
    monkeypatch.setattr(read_outs, "CHUNK_BYTES", 4 * 320 * 5)
    monkeypatch.setattr(read_outs, "CACHED_BYTES", 4 * 320 * 2)
    chunked = read_out(model, rows, asked, 4)
    for name, expected in vars(whole).items():
        np.testing.assert_allclose(vars(chunked)[name], expected, atol=1e-6, err_msg=name)
    logits = model.adapter.logits(model.model, torch.tensor(rows)).detach()
    own = logits.gather(1, torch.tensor(asked))
    np.testing.assert_allclose(whole.prob, logits.softmax(-1).gather(1, torch.tensor(asked)), atol=1e-6)
    np.testing.assert_array_equal(whole.rank, (logits[:, None] > own[..., None]).sum(-1) + 1)


def test_rows_of_which_no_token_is_asked_have_their_best_ones() -> None:
    model, rows = tiny_model("llama"), np.ones((3, 32), dtype=np.float32)
    nothing = read_out(model, rows, np.zeros((3, 0), dtype=np.int64), 4)
    assert nothing.rank.shape == nothing.prob.shape == (3, 0)
    np.testing.assert_array_equal(
        nothing.top_token_ids, read_out(model, rows, np.zeros((3, 1), np.int64), 4).top_token_ids
    )


def test_a_large_model_is_read_in_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = tiny_model("llama"), list(range(3, 40))
    whole = [piece.copy() for piece in read_positions(model, ids)]
    monkeypatch.setattr(reading, "CHUNK_BYTES", 10 * 4 * 3 * 32)
    pieces = [piece.copy() for piece in read_positions(model, ids)]
    assert [piece.shape[1] for piece in whole] == [37]
    assert [piece.shape[1] for piece in pieces] == [10, 10, 10, 7]
    np.testing.assert_allclose(np.concatenate(pieces, 1), whole[0], atol=1e-4)


@pytest.mark.parametrize("family", ["llama", "gemma2", "granite", "mistral"])
def test_the_lens_of_all_positions_is_that_of_plain_transformers(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK_TOKENS", 11)
    monkeypatch.setattr(read_outs, "CHUNK_BYTES", 4 * 320 * 7)
    model = tiny_model(family)
    turn = lt.track(model, QUESTION, recipe="chat", max_new_tokens=4).turns[0]
    lens = position_lens(model, turn, ["Paris"])
    truth = Recomputed(model, turn)
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()]
    for at in range(len(ids) - 1):
        probs = truth.lens_logits(at - truth.first).softmax(-1)
        np.testing.assert_allclose(lens.top_probs[:, at], probs.topk(3).values, atol=1e-4)
        np.testing.assert_allclose(lens.next_prob[:, at], probs[:, ids[at + 1]], atol=1e-4)
    assert lens.watched["Paris"].shape == lens.next_prob.shape == (3, len(ids) - 1)


def test_the_lens_of_all_positions_agrees_with_the_step_lens_and_with_the_answer() -> None:
    model = tiny_model("llama")
    turn = lt.track(model, QUESTION, max_new_tokens=3, watch_words=["Paris"]).turns[0]
    lens = position_lens(model, turn, ["Paris"])
    first = len(turn.prompt.token_ids) - 1
    np.testing.assert_allclose(lens.next_prob[:, first], turn.trace.lens[0].token_prob, atol=1e-4)
    np.testing.assert_allclose(lens.watched["Paris"][:, first], turn.trace.lens[0].watched["Paris"].prob, atol=1e-4)
    np.testing.assert_allclose(lens.next_prob[-1, first:], turn.trace.token_probs, atol=1e-4)


def test_its_frame_has_a_row_for_each_layer_and_position() -> None:
    model = tiny_model("llama")
    turn = lt.track(model, QUESTION, recipe="chat", max_new_tokens=2).turns[0]
    frame = position_lens(model, turn, ["Paris"]).frame()
    n_positions = len(turn.prompt.token_ids) + 1
    assert len(frame) == 3 * n_positions
    assert frame["position"].tolist()[:n_positions] == list(range(n_positions))
    assert (frame["best_prob"] >= frame["next_prob"] - 1e-6).all()
    assert (frame["best_prob"] >= frame["prob of Paris"] - 1e-6).all()


def test_the_heap_is_trimmed_around_each_piece_and_now_and_then_within_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK_TOKENS", 11)
    monkeypatch.setattr(read_outs, "CHUNK_BYTES", 4 * 320 * 3)  # so that a piece of three layers is eleven chunks
    monkeypatch.setattr(position_reading, "CHUNKS_TO_A_TRIM", 5)
    trims: list[None] = []
    monkeypatch.setattr(position_reading, "trim_heap", lambda: trims.append(None))
    model = tiny_model("llama")
    turn = lt.track(model, QUESTION, recipe="chat", max_new_tokens=2).turns[0]
    counts = [len(trims) for _ in stream_position_lens(model, turn)]
    assert counts[:12] == [1] * 4 + [2] * 5 + [3] * 2 + [5]
    assert len(trims) == counts[-1] + 2


def test_it_says_how_far_it_is_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_outs, "CHUNK_BYTES", 4 * 320 * 7)
    model = tiny_model("llama")
    turn = lt.track(model, QUESTION, recipe="chat", max_new_tokens=2).turns[0]
    shares = list(stream_position_lens(model, turn))
    assert shares == sorted(shares)
    assert len(shares) > 3
    assert shares[-1] == 1
    hooks = n_hooks(model)
    count = iter(range(100))
    with pytest.raises(lt.Cancelled, match="Nothing was changed"):
        list(stream_position_lens(model, turn, stop=lambda: next(count) > 2))
    assert n_hooks(model) == hooks


def n_hooks(model: lt.LoadedModel) -> int:
    return sum(len(module._forward_hooks) for module in model.model.modules())
