"""The lens as a frame: what was kept, any word with the model, and clear words where something is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny_models import loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.analysis.lens.tables import with_lens
from llm_tracker.analysis.lens.watch_tokens import watch_token_id
from llm_tracker.progress import ended
from llm_tracker.tracing import run


@pytest.fixture(scope="module")
def model() -> lt.LoadedModel:
    return tiny_model("llama")


@pytest.fixture(scope="module")
def trace(model: lt.LoadedModel) -> lt.Trace:
    return lt.track(model, "What is it?", recipe="chat", max_new_tokens=3, watch_words=["Paris"]).turns[0].trace


def test_the_frame_has_a_row_for_each_layer_and_kind(trace: lt.Trace) -> None:
    frame = lt.logit_lens(trace, 0)
    assert list(frame["layer"].unique()) == [1, 2, 3]
    assert set(frame["kind"]) == {"token", "candidate", "word"}
    assert (frame.groupby("layer")["kind"].apply(lambda kinds: (kinds == "candidate").sum()) >= 3).all()
    assert frame["prob"].between(0, 1).all()


def test_ranks_agree_with_sorting_all_logits(model: lt.LoadedModel, trace: lt.Trace) -> None:
    logits = model.adapter.logits(model.model, torch.tensor(trace.resid[0, 1:]))
    word = trace.lens[0].watched["Paris"]
    for layer, row in enumerate(logits):
        order = row.argsort(descending=True).tolist()
        assert order.index(word.token_id) + 1 == word.rank[layer]
        assert order.index(int(trace.token_ids[0])) + 1 == trace.lens[0].token_rank[layer]


def test_any_word_can_be_read_with_the_model(model: lt.LoadedModel, trace: lt.Trace) -> None:
    frame = lt.logit_lens(trace, 0, words=["capital"], model=model)
    last = frame[(frame["word"] == "capital") & (frame["layer"] == 3)].iloc[0]
    token_id = watch_token_id(model, trace, "capital")
    expected = model.adapter.logits(model.model, torch.tensor(trace.resid[0, -1])).softmax(-1)[token_id]
    assert last["prob"] == pytest.approx(expected.item(), abs=1e-6)


def test_without_the_model_a_word_that_was_not_kept_is_refused_by_name(trace: lt.Trace) -> None:
    with pytest.raises(lt.InputError, match=r"“capital” was not kept.*model=model"):
        lt.logit_lens(trace, 0, words=["capital"])
    with pytest.raises(lt.InputError, match="the lens of step 1 was not kept"):
        lt.logit_lens(replace(trace, lens={}), 1)
    with pytest.raises(lt.InputError, match="no step 7"):
        lt.logit_lens(trace, 7)


def test_a_word_is_cut_in_its_place_never_by_itself(model: lt.LoadedModel, trace: lt.Trace) -> None:
    after_mark = replace(trace, before="A:")
    assert model.tokenizer.decode([watch_token_id(model, trace, "capital")]).startswith("c")
    assert model.tokenizer.decode([watch_token_id(model, after_mark, "capital")]).startswith(" ")


def test_lens_tables_that_are_there_are_kept(model: lt.LoadedModel, trace: lt.Trace) -> None:
    again = with_lens(model, trace, [0], ["Paris"])
    assert again.lens[0] is trace.lens[0]
    assert with_lens(model, trace, [0], ["Paris", "London"]).lens[0].watched.keys() >= {"Paris", "London"}


def test_a_first_answer_is_read_at_its_word_and_at_its_first_position_once_there_is_another(
    model: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "answer_step_of", lambda *_: 2)
    session = lt.begin_session(model, "chat", lt.Decoding(max_new_tokens=4))
    asked = ended(lt.stream_turn(model, session, "What is it?"))
    assert [set(turn.trace.lens) for turn in asked.turns] == [{2}]
    corrected = ended(lt.stream_turn(model, asked, "No, Oslo."))
    assert [set(turn.trace.lens) for turn in corrected.turns] == [{0, 2}, {0, 2}]
    for turn in corrected.turns:
        assert all(table.watched.keys() >= set(corrected.watch_words) for table in turn.trace.lens.values())


def test_arrays_of_a_trace_cannot_be_written(trace: lt.Trace) -> None:
    for array in (trace.attention, trace.resid, trace.top_logits, trace.lens[0].token_prob):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_hand_made_model_predicts_what_arithmetic_says() -> None:
    """Attention and feed-forward write nothing; the embeddings go straight to the head, after a norm."""
    network = tiny_network("llama", num_hidden_layers=2)
    with torch.no_grad():
        for layer in network.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    trace = lt.track(loaded(network), [40, 50], recipe="raw", max_new_tokens=1).turns[0].trace
    embedding = network.model.embed_tokens.weight[50]
    normed = embedding / (embedding.square().mean() + network.config.rms_norm_eps).sqrt() * network.model.norm.weight
    expected = (network.lm_head.weight @ normed).softmax(-1)
    for layer in range(2):
        assert trace.lens[0].top_probs[layer, 0] == pytest.approx(expected.max().item(), abs=1e-5)
    assert trace.token_ids[0] == expected.argmax().item()
