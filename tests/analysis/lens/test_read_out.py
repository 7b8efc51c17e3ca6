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
from llm_tracker.tracing.rereading import resid_by_position as reading
from llm_tracker.tracing.rereading.resid_by_position import read_positions
from llm_tracker.tracing.trace import StreamSite

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


def test_chunks_are_what_the_whole_is_and_what_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("gemma2")
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((23, 3, 32), dtype=np.float32)
    asked = generator.integers(0, model.config.vocab_size, (23, 2))
    whole, _ = read_out(model, rows, asked, 4)
    monkeypatch.setattr(read_outs, "CHUNK_BYTES", 4 * 320 * 7)
    monkeypatch.setattr(read_outs, "CACHED_BYTES", 4 * 320 * 2)
    chunked, leading = read_out(model, rows, asked, 4)
    for name, expected in vars(whole).items():
        np.testing.assert_allclose(vars(chunked)[name], expected, atol=1e-5, err_msg=name)
    logits = model.adapter.logits(model.model, torch.tensor(rows).view(-1, 32)).detach().view(23, 3, -1).double()
    log_probs = logits.log_softmax(-1)
    own = logits.gather(2, torch.tensor(asked)[:, None].expand(-1, 3, -1))
    np.testing.assert_allclose(whole.logit, own, atol=1e-5)
    np.testing.assert_allclose(whole.prob, (own - logits.logsumexp(-1, keepdim=True)).exp(), atol=1e-6)
    np.testing.assert_array_equal(whole.rank, (logits[:, :, None] > own[..., None]).sum(-1) + 1)
    np.testing.assert_allclose(whole.entropy, -(log_probs.exp() * log_probs).sum(-1), atol=1e-4)
    final = log_probs[:, -1:]
    np.testing.assert_allclose(whole.kl, (final.exp() * (final - log_probs)).sum(-1), atol=1e-4)
    assert (whole.kl[:, -1] == 0).all()
    for stack, own_leading in enumerate(leading):
        assert set(own_leading.token_ids) == set(logits[stack].argmax(-1).tolist())
        assert own_leading.token_ids[0] == logits[stack, -1].argmax()
        np.testing.assert_allclose(own_leading.prob, log_probs[stack, :, own_leading.token_ids].exp().T, atol=1e-6)
        np.testing.assert_allclose(own_leading.logit, logits[stack, :, own_leading.token_ids].T, atol=1e-5)


def test_rows_of_which_no_token_is_asked_have_their_best_ones() -> None:
    model, rows = tiny_model("llama"), np.ones((3, 1, 32), dtype=np.float32)
    nothing, _ = read_out(model, rows, np.zeros((3, 0), dtype=np.int64), 4)
    assert nothing.rank.shape == nothing.prob.shape == (3, 1, 0)
    np.testing.assert_array_equal(
        nothing.top_token_ids, read_out(model, rows, np.zeros((3, 1), np.int64), 4)[0].top_token_ids
    )


def test_a_large_model_is_read_in_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = tiny_model("llama"), list(range(3, 40))
    whole = [piece.copy() for piece in read_positions(model, ids)]
    monkeypatch.setattr(reading, "CHUNK_BYTES", 10 * 4 * 3 * 32)
    pieces = [piece.copy() for piece in read_positions(model, ids)]
    assert [len(piece) for piece in whole] == [37]
    assert [len(piece) for piece in pieces] == [10, 10, 10, 7]
    np.testing.assert_allclose(np.concatenate(pieces), whole[0], atol=1e-4)


@pytest.mark.parametrize("site", ["resid_post", "resid_mid"])
@pytest.mark.parametrize("family", ["llama", "gemma2", "granite", "mistral"])
def test_the_lens_of_all_positions_is_that_of_plain_transformers(
    family: str, site: StreamSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK_POSITIONS", 11)
    monkeypatch.setattr(read_outs, "CHUNK_BYTES", 4 * 320 * 7)
    model = tiny_model(family)
    turn = lt.track(model, QUESTION, recipe="chat", max_new_tokens=4).turns[0]
    lens = position_lens(model, turn, ["Paris"], site)
    truth = Recomputed(model, turn)
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()]
    word = lens.watched["Paris"]
    for at in range(len(ids) - 1):
        rows = truth.resid[1:, at] if site == "resid_post" else truth.resid_mid[:, at]
        logits, final = truth.tail(rows), truth.logits[at].log_softmax(-1)
        log_probs = logits.log_softmax(-1)
        probs = log_probs.exp()
        np.testing.assert_allclose(lens.top_probs[:, at], probs.topk(10).values, atol=1e-4)
        np.testing.assert_allclose(lens.next_prob[:, at], probs[:, ids[at + 1]], atol=1e-4)
        np.testing.assert_allclose(lens.entropy[:, at], -(probs * log_probs).sum(-1), atol=1e-3)
        np.testing.assert_allclose(lens.kl[:, at], (final.exp() * (final - log_probs)).sum(-1), atol=1e-3)
        np.testing.assert_allclose(word.logit[:, at], logits[:, word.token_id], atol=1e-3)
    assert word.prob.shape == lens.next_rank.shape == (3, len(ids) - 1)
    assert (lens.kl[-1] == 0).all() == (site == "resid_post")
    assert (lens.cell(2, 5)["prob"].to_numpy() == lens.top_probs[1, 5]).all()


def test_a_model_whose_parts_work_side_by_side_has_no_stream_between_them() -> None:
    model = tiny_model("gpt_neox")
    turn = lt.track(model, QUESTION, recipe="chat", max_new_tokens=2).turns[0]
    with pytest.raises(lt.ModelError, match="resid_mid"):
        position_lens(model, turn, site="resid_mid")


def test_the_lens_of_all_positions_agrees_with_the_step_lens_and_with_the_answer() -> None:
    model = tiny_model("llama")
    turn = lt.track(model, QUESTION, max_new_tokens=3, watch_words=["Paris"]).turns[0]
    lens = position_lens(model, turn, ["Paris"])
    first = len(turn.prompt.token_ids) - 1
    np.testing.assert_allclose(lens.next_prob[:, first], turn.trace.lens[0].token_prob, atol=1e-4)
    np.testing.assert_allclose(
        lens.watched["Paris"].prob[:, first], turn.trace.lens[0].watched["Paris"].prob, atol=1e-4
    )
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
    monkeypatch.setattr(reading, "CHUNK_POSITIONS", 11)
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
