"""Tokens come one by one, greedy or sampled with a seed, and can be stopped between any two."""

from __future__ import annotations

import copy
import gc
from collections.abc import Generator
from unittest.mock import patch

import numpy as np
import pytest
import torch
from recompute import largest_gaps
from tiny_models import loaded, tiny_model, tiny_network

import llm_tracker as lt
from benchmarks.tinyllama_like import tinyllama_like_tokenizer
from llm_tracker.conversation.turns import begin_session, stream_turn
from llm_tracker.progress import ended
from llm_tracker.prompts import tokens
from llm_tracker.prompts.continuation import continuation
from llm_tracker.prompts.tokens import token_text
from llm_tracker.tracing import decoding
from llm_tracker.tracing.decoding import _sample
from llm_tracker.tracing.run import TokenEvent
from llm_tracker.tracing.session import Decoding

QUESTION = "What is the capital of France?"


def drained(stream: Generator[TokenEvent, None, lt.Session]) -> tuple[list[TokenEvent], lt.Session]:
    events: list[TokenEvent] = []
    return events, ended(stream, events.append)


def test_tokens_are_yielded_as_they_come() -> None:
    model = tiny_model("llama")
    events, session = drained(stream_turn(model, begin_session(model, "chat"), QUESTION))
    assert [event.token for event in events] == list(session.turns[0].trace.tokens)
    assert events[-1].text == session.turns[0].text
    assert not any(event.is_end for event in events)


def test_an_answer_can_be_stopped_between_any_two_tokens_and_goes_on_being_exact() -> None:
    model = tiny_model("llama")
    _, whole = drained(stream_turn(model, begin_session(model, "chat"), QUESTION))
    for wanted in (1, 2, 3):
        seen: list[TokenEvent] = []
        stop = lambda seen=seen, wanted=wanted: len(seen) >= wanted  # noqa: E731
        cut = ended(stream_turn(model, begin_session(model, "chat"), QUESTION, stop), seen.append)
        turn = cut.turns[0]
        assert turn.ended == "stopped"
        assert turn.trace.token_ids.tolist() == whole.turns[0].trace.token_ids.tolist()[:wanted]
        assert turn.trace.attention.shape[0] == wanted


def test_no_hook_stays_on_the_model_when_an_answer_is_left_half_way() -> None:
    model = tiny_model("llama")
    before = n_hooks(model)
    stream = stream_turn(model, begin_session(model, "chat"), QUESTION)
    next(stream)
    stream.close()
    assert n_hooks(model) == before
    stream = stream_turn(model, begin_session(model, "chat"), QUESTION)
    next(stream)
    del stream
    assert n_hooks(model) == before


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_what_the_model_does_between_two_tokens_is_not_recorded(family: str) -> None:
    model, other = tiny_model(family), torch.arange(3, 20)[None]
    model.kv_caches.clear()
    whole = lt.track(model, QUESTION, recipe="chat", max_new_tokens=4).turns[0].trace
    session = begin_session(model, "chat", Decoding(max_new_tokens=4))

    def read_something_else(_event: TokenEvent) -> None:
        """A whole text, and one that breaks off after the first layer."""
        with torch.inference_mode():
            model.model(other)
            broken = patch.object(model.layers[1], "forward", side_effect=InterruptedError)
            with broken, pytest.raises(InterruptedError):
                model.model(other)

    model.kv_caches.clear()
    trace = ended(stream_turn(model, session, QUESTION), read_something_else).turns[0].trace
    for name in ("token_ids", "attention", "resid"):
        np.testing.assert_array_equal(getattr(trace, name), getattr(whole, name))


def test_two_answers_of_one_model_can_be_written_in_turn() -> None:
    model = tiny_model("llama")
    texts = (QUESTION, "And of Spain?")
    alone = [lt.track(model, text, recipe="chat", max_new_tokens=5).turns[0].trace for text in texts]
    streams = [stream_turn(model, begin_session(model, "chat", Decoding(max_new_tokens=5)), text) for text in texts]
    for _ in range(5):
        for stream in streams:
            next(stream)
    for stream, trace in zip(streams, alone, strict=True):
        with pytest.raises(StopIteration) as end:
            next(stream)
        np.testing.assert_allclose(end.value.value.turns[0].trace.resid, trace.resid, atol=1e-4)
        np.testing.assert_allclose(end.value.value.turns[0].trace.attention, trace.attention, atol=1e-5)


def test_known_texts_of_tokens_are_those_of_their_own_tokenizer_and_go_with_it() -> None:
    own, other = tiny_model("llama").tokenizer, tinyllama_like_tokenizer()
    for tokenizer in (own, other, own, other):
        assert [token_text(tokenizer, at) for at in range(300)] == [tokens._text_of(tokenizer, at) for at in range(300)]
    assert token_text(own, 70) != token_text(other, 70)
    n_known = len(tokens._texts)
    twin = copy.deepcopy(own)
    assert token_text(twin, 70) == token_text(own, 70)
    assert len(tokens._texts) == n_known + 1
    del twin
    gc.collect()
    assert len(tokens._texts) == n_known


@pytest.mark.parametrize("vocab_size", [7, 320, 5120, 5121, 49152])
def test_the_candidates_are_the_best_of_all_whatever_the_vocabulary(vocab_size: int) -> None:
    generator = torch.Generator().manual_seed(vocab_size)
    for logits in (
        20 * torch.randn(vocab_size, generator=generator),
        torch.arange(vocab_size, dtype=torch.float32),
        -torch.arange(vocab_size, dtype=torch.float32),
    ):
        step = decoding._choose(logits, Decoding(), generator)
        expected, probs = logits.topk(min(10, vocab_size)), logits.double().softmax(-1)
        assert step.top_token_ids == expected.indices.tolist()
        assert step.top_logits == expected.values.tolist()
        assert step.token_id == step.top_token_ids[0]
        np.testing.assert_allclose(step.top_probs, probs[step.top_token_ids], rtol=1e-5)


def n_hooks(model: lt.LoadedModel) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.model.modules())


def test_a_seed_gives_the_same_answer_and_another_seed_another() -> None:
    model = tiny_model("llama")
    answers = [
        lt.track(model, QUESTION, recipe="chat", temperature=2.0, seed=seed, max_new_tokens=12).turns[0].trace.token_ids
        for seed in (1, 1, 2, 3)
    ]
    assert answers[0].tolist() == answers[1].tolist()
    assert len({tuple(answer.tolist()) for answer in answers}) > 1


def test_sampling_keeps_raw_logits_and_probabilities() -> None:
    model = tiny_model("llama")
    greedy = lt.track(model, QUESTION, recipe="chat", max_new_tokens=1).turns[0].trace
    sampled = lt.track(model, QUESTION, recipe="chat", max_new_tokens=1, temperature=3.0, seed=4).turns[0].trace
    assert greedy.top_token_ids.tolist() == sampled.top_token_ids.tolist()
    np.testing.assert_allclose(greedy.top_logits, sampled.top_logits, atol=1e-4)  # the second went on from the first
    np.testing.assert_allclose(greedy.top_probs, sampled.top_probs, atol=1e-5)


def test_top_p_samples_from_the_fewest_best_tokens_and_by_their_probabilities() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    generator = torch.Generator().manual_seed(0)
    drawn = torch.tensor([_sample(logits, 0.75, generator) for _ in range(2000)])
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    assert shares[2:].sum() == 0
    assert abs(shares[0].item() - 0.5 / 0.8) < 0.05
    assert {_sample(logits, 1e-6, generator) for _ in range(50)} == {0}
    assert {_sample(logits, 1.0, generator) for _ in range(2000)} == {0, 1, 2, 3}


def test_an_answer_ends_at_the_models_end_token() -> None:
    network = tiny_network("llama")
    model = loaded(network)
    plain = lt.track(model, QUESTION, recipe="chat", max_new_tokens=6).turns[0].trace.token_ids.tolist()
    network.generation_config.eos_token_id = [plain[2]]
    ended = lt.track(model, QUESTION, recipe="chat", max_new_tokens=6).turns[0].trace.token_ids.tolist()
    assert ended == plain[: plain.index(plain[2]) + 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_new_tokens": 0}, "at least one token"),
        ({"temperature": 0.0}, "at least 0.01"),
        ({"temperature": 1e-39}, "at least 0.01"),
        ({"temperature": float("nan")}, "at least 0.01"),
        ({"seed": -1}, "seed"),
        ({"seed": 10**20}, "seed"),
        ({"temperature": 1.0, "top_p": 0.0}, "top-p"),
        ({"temperature": 1.0, "top_p": 1.5}, "top-p"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(lt.InputError, match=message):
        Decoding(**settings)  # type: ignore[arg-type]


def test_a_text_over_the_models_context_is_refused_with_both_figures() -> None:
    model = tiny_model("llama", max_position_embeddings=64)
    with pytest.raises(lt.InputError, match=r"The text is \d+ tokens .* 16 are kept .* reads 64 at most"):
        lt.track(model, "word " * 100, recipe="chat")


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_a_blank_question_is_refused(question: str) -> None:
    with pytest.raises(lt.InputError, match="question is empty"):
        lt.track(tiny_model("llama"), question)


def test_a_blank_correction_is_refused_and_the_session_stays() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=2)
    with pytest.raises(lt.InputError, match="correction is empty"):
        next(stream_turn(model, session, "  "))
    assert len(session.turns) == 1


def test_token_ids_are_a_first_question_of_the_raw_recipe_only() -> None:
    model = tiny_model("llama")
    assert lt.track(model, [40, 41, 42], recipe="raw", max_new_tokens=2).turns[0].prompt.token_ids == (40, 41, 42)
    with pytest.raises(lt.InputError, match="recipe “raw”"):
        lt.track(model, [40, 41, 42], recipe="chat")


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(lt.InputError, match="one-word, chat, raw"):
        lt.track(tiny_model("llama"), QUESTION, recipe="haiku")


def test_any_messages_can_be_a_recipe() -> None:
    recipe = [{"role": "user", "content": "Ping?"}, {"role": "assistant", "content": "Pong"}]
    session = lt.track(tiny_model("llama"), QUESTION, recipe=recipe, max_new_tokens=2)
    assert session.recipe == "custom"
    assert [message.content for message in session.turns[0].prompt.messages] == ["Ping?", "Pong", QUESTION]
    with pytest.raises(lt.InputError, match="needs a role"):
        lt.track(tiny_model("llama"), QUESTION, recipe=[{"role": "robot", "content": "?"}])


def test_a_correction_follows_the_answer_in_the_same_conversation() -> None:
    session = lt.track(tiny_model("llama"), QUESTION, ["That is wrong."], recipe="chat", max_new_tokens=3)
    first, second = session.turns
    assert [message.role for message in second.prompt.messages] == ["user", "assistant", "user"]
    assert second.prompt.messages[1].content == first.answer


def test_a_long_prompt_is_read_in_pieces_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("mistral")
    question = "What is the capital of France? " * 8
    whole = lt.track(model, question, recipe="raw", max_new_tokens=3)
    model.kv_caches.clear()
    monkeypatch.setitem(decoding.CHUNK_TOKENS, model.way.attention, 7)
    pieces = lt.track(model, question, recipe="raw", max_new_tokens=3)
    assert pieces.turns[0].trace.token_ids.tolist() == whole.turns[0].trace.token_ids.tolist()
    assert max(largest_gaps(model, pieces).values()) <= 1e-3


@pytest.mark.parametrize("n_looks", range(6))
def test_reading_a_prompt_is_stopped_before_the_next_layer_and_leaves_no_trace(n_looks: int) -> None:
    model = tiny_model("mistral")
    model.kv_caches.clear()
    looks, hooks_before = iter([False] * n_looks), n_hooks(model)
    with pytest.raises(lt.Cancelled, match="before the first token"):
        next(stream_turn(model, begin_session(model), QUESTION, lambda: next(looks, True)))
    recipe_was_read = n_looks >= len(model.layers)
    assert len(model.kv_caches) == recipe_was_read
    assert n_hooks(model) == hooks_before
    whole = lt.track(model, QUESTION, max_new_tokens=3)
    assert max(largest_gaps(model, whole).values()) <= 1e-3


def test_how_an_answer_ended_is_kept_and_told_with_its_last_token() -> None:
    model = tiny_model("llama")
    assert lt.track(model, QUESTION, recipe="chat", max_new_tokens=2).turns[0].ended == "limit"
    model.model.generation_config.eos_token_id = list(range(len(model.tokenizer)))
    (event,), session = drained(stream_turn(model, begin_session(model, "chat"), QUESTION))
    assert (event.is_end, session.turns[0].ended) == (True, "end")


def test_a_single_text_where_several_may_be_given_is_one_text() -> None:
    session = lt.track(tiny_model("llama"), QUESTION, "No", recipe="chat", max_new_tokens=1, watch_words="London")
    assert [turn.said for turn in session.turns] == [QUESTION, "No"]
    assert "London" in session.watch_words


def test_a_question_of_ids_that_its_text_does_not_give_back_is_not_corrected_as_text() -> None:
    with pytest.raises(lt.InputError, match="question of token ids"):
        lt.track(tiny_model("llama"), [1, 40, 41], ["No."], recipe="raw", max_new_tokens=1)
    ids = np.array(tiny_model("llama").tokenizer.encode("Who"))
    assert len(lt.track(tiny_model("llama"), ids, ["No."], recipe="raw", max_new_tokens=1).turns) == 2


def test_half_a_character_at_the_end_leaves_the_text_before_it_whole() -> None:
    tokenizer = tinyllama_like_tokenizer()
    ids = tokenizer.convert_tokens_to_ids(["h", "i", "<0x0A>", "<0xF0>", "<0x9F>"])
    text, spans = continuation(tokenizer, tokenizer.encode("Say"), ids)
    assert text[:3] == "hi\n"
    assert spans[:3] == [(0, 1), (1, 2), (2, 3)]
    assert spans[3] == spans[4]
    whole = [*ids, *tokenizer.convert_tokens_to_ids(["<0x8D>", "<0x8E>"])]
    assert continuation(tokenizer, tokenizer.encode("Say"), whole)[0] == "hi\n🍎"
