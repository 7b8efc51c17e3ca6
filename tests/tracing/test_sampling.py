"""Sampled together, answers are those that their seeds write alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from thinking import thinking_model
from tiny_models import SIZES, loaded, tiny_model, tiny_network, tiny_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.conversation.turns import begin_session, next_prompt
from llm_tracker.models.forward.hooks import replacing
from llm_tracker.models.forward.shared_beginning import row_bytes
from llm_tracker.progress import ended
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing import sampling
from llm_tracker.tracing.run import run_turn
from llm_tracker.tracing.sampled import SampledAnswer, SampledAnswers
from llm_tracker.tracing.sampling import stream_samples
from llm_tracker.tracing.session import Decoding

QUESTION = "What is the capital of France?"
WARM = Decoding(max_new_tokens=8, temperature=1.0, seed=3)
N = 6


def prompt_of(model: lt.LoadedModel, thinking: bool | None = None) -> Prompt:
    return next_prompt(model, begin_session(model, "chat", thinking=thinking), QUESTION)


def sampled(model: lt.LoadedModel, prompt: Prompt, decoding: Decoding = WARM, n: int = N) -> SampledAnswers:
    return ended(stream_samples(model, prompt, decoding, n))


def alone(model: lt.LoadedModel, prompt: Prompt, decoding: Decoding = WARM, n: int = N) -> list[lt.Turn]:
    seeds = range(decoding.seed, decoding.seed + n)
    return [ended(run_turn(model, prompt, replace(decoding, seed=seed), QUESTION, QUESTION)) for seed in seeds]


def facts(answer: SampledAnswer | lt.Turn) -> tuple[Any, ...]:
    ids = answer.trace.token_ids.tolist() if isinstance(answer, lt.Turn) else list(answer.token_ids)
    return ids, answer.text, answer.answer, answer.ended, answer.thought, answer.is_cut


def require_the_same(
    model: lt.LoadedModel, prompt: Prompt, decoding: Decoding = WARM, n: int = N
) -> tuple[SampledAnswer, ...]:
    """Sample together, hold it against each seed alone, and return the answers."""
    together = sampled(model, prompt, decoding, n)
    assert [facts(answer) for answer in together.answers] == [facts(turn) for turn in alone(model, prompt, decoding, n)]
    assert [answer.seed for answer in together.answers] == list(range(decoding.seed, decoding.seed + n))
    assert together.decoding == decoding
    return together.answers


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each forward pass of the sampling read."""
    seen, forward = list[int](), sampling.forward

    def counting(model: Any, token_ids: torch.Tensor, *rest: Any) -> Any:
        seen.append(len(token_ids))
        return forward(model, token_ids, *rest)

    monkeypatch.setattr(sampling, "forward", counting)
    return seen


@pytest.mark.parametrize("family", ["llama", "mistral", "gpt2", "gemma2", "gpt_oss"])
def test_each_answer_is_the_one_that_its_seed_writes_alone(family: str, rows_read: list[int]) -> None:
    model = tiny_model(family)
    answers = require_the_same(model, prompt_of(model))
    assert len({answer.token_ids for answer in answers}) > 1
    assert max(rows_read) > 1, "they were read together"


@pytest.mark.parametrize("top_p", [0.9, 0.3])
def test_a_nucleus_cuts_the_same_tokens_off(top_p: float, tiny_llama: lt.LoadedModel) -> None:
    require_the_same(tiny_llama, prompt_of(tiny_llama), replace(WARM, top_p=top_p, temperature=2.0))


def test_answers_that_begin_alike_are_read_once(tiny_llama: lt.LoadedModel, rows_read: list[int]) -> None:
    answers = sampled(tiny_llama, prompt_of(tiny_llama), replace(WARM, temperature=0.01)).answers
    assert len({answer.token_ids for answer in answers}) == 1
    assert set(rows_read) == {1}


@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_where_there_is_no_room_for_all_texts_they_are_read_in_batches(
    family: str, monkeypatch: pytest.MonkeyPatch, rows_read: list[int]
) -> None:
    model = tiny_model(family)
    prompt = prompt_of(model)
    whole = sampled(model, prompt)
    assert max(rows_read) > 2
    for n_rows in (1, 2):
        rows_read.clear()
        monkeypatch.setattr(sampling, "_most_rows", lambda *_, n_rows=n_rows: n_rows)
        parts = sampled(model, prompt)
        assert max(rows_read) == n_rows
        assert [facts(answer) for answer in parts.answers] == [facts(answer) for answer in whole.answers]


def test_a_batch_has_as_many_texts_as_fit_into_its_bytes_and_never_none(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    known = sampling._read_prompt(model, prompt_of(model), 8, lambda: False)
    assert known is not None
    in_row = row_bytes(known[0], 8, n_heads=4) + 40 * model.architecture.vocab_size
    for n_bytes, expected in ((5 * in_row, 5), (6 * in_row - 1, 5), (1, 1)):
        monkeypatch.setattr(sampling, "BATCH_BYTES", n_bytes)
        assert sampling._most_rows(model, known[0], 8) == expected


def test_answers_end_each_in_its_own_time() -> None:
    network = tiny_network("llama")
    network.generation_config.eos_token_id = list(range(0, 320, 4))
    model = loaded(network)
    answers = require_the_same(model, prompt_of(model), n=8)
    assert len({len(answer.token_ids) for answer in answers}) > 2
    assert {answer.ended for answer in answers} == {"end", "limit"}


def test_without_a_chat_template_an_answer_ends_with_its_line() -> None:
    network = tiny_network("llama")
    newline = tiny_tokenizer().convert_tokens_to_ids("Ċ")
    model = loaded(network, chat=False)
    prompt = prompt_of(model)
    likely = alone(model, prompt, n=1)[0].trace.top_token_ids[0, 0]
    rows = network.get_output_embeddings().weight.data
    rows[newline] = rows[likely]  # as likely as the likeliest
    answers = require_the_same(model, prompt, replace(WARM, max_new_tokens=12), n=8)
    assert "newline" in {answer.ended for answer in answers}
    assert not any("\n" in answer.answer for answer in answers)


@pytest.mark.parametrize(("kind", "limit"), [("opened", 5), ("switched", 6), ("channels", 4), ("opened", 0)])
def test_each_answer_has_its_own_thought_and_is_closed_at_the_limit(kind: str, limit: int) -> None:
    model = thinking_model(kind)
    prompt = prompt_of(model, thinking=True)
    decoding = replace(WARM, max_new_tokens=4, max_thought_tokens=limit)
    answers = require_the_same(model, prompt, decoding)
    if kind == "opened":
        assert {answer.thought.closed_by for answer in answers if answer.thought} == {"limit"}
        assert all(answer.thought and len(answer.token_ids) > answer.thought.n_steps for answer in answers)


def test_a_thought_that_is_begun_by_some_is_no_others() -> None:
    """The model opens its thought itself: with a mark that is nearly as likely as its likeliest token."""
    model = thinking_model("switched")
    prompt = prompt_of(model, thinking=True)
    mark = model.tokenizer.convert_tokens_to_ids("<think>")
    likely = alone(model, prompt, n=1)[0].trace.top_token_ids[0, 0]
    rows = model.model.get_output_embeddings().weight.data
    rows[mark] = 0.99 * rows[likely]  # of two that are level, rounding says which comes first
    answers = require_the_same(model, prompt, replace(WARM, max_new_tokens=3, max_thought_tokens=4), n=8)
    assert {answer.thought is None for answer in answers} == {True, False}


MAMBA = {**SIZES, "state_size": 8}
RWKV = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 48, "attention_hidden_size": 32}


@pytest.mark.parametrize(("family", "sizes"), [("mamba", MAMBA), ("rwkv", RWKV)])
def test_a_model_without_keys_and_values_is_sampled_one_after_another(
    family: str, sizes: dict[str, Any], rows_read: list[int]
) -> None:
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family, vocab_size=len(tiny_tokenizer()), bos_token_id=1, eos_token_id=0, pad_token_id=2, **sizes
    )
    model = loaded(AutoModelForCausalLM.from_config(config).eval())
    decoding = replace(WARM, max_new_tokens=3)
    answers = require_the_same(model, prompt_of(model), decoding, n=3)
    assert rows_read == []
    for answer, turn in zip(answers, alone(model, prompt_of(model), decoding, n=3), strict=True):
        expected = turn.trace.token_probs[: len(answer.token_ids)].astype(float)
        assert answer.log_prob == pytest.approx(float(torch.tensor(expected).log().sum()), abs=1e-4)


@pytest.mark.parametrize("shortfall", [1, 100])
def test_a_text_that_reaches_a_switch_of_its_positions_is_sampled_one_after_another(
    shortfall: int, rows_read: list[int]
) -> None:
    rope = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}
    n_prompt = len(prompt_of(tiny_model("llama")).token_ids)
    longest = n_prompt + WARM.max_new_tokens - shortfall
    model = loaded(tiny_network("llama", max_position_embeddings=max(8, longest), rope_parameters=rope))
    model = replace(model, architecture=replace(model.architecture, context_length=None))
    require_the_same(model, prompt_of(model), n=3)
    assert rows_read == []


def test_where_a_pass_is_replaced_answers_are_sampled_one_after_another(rows_read: list[int]) -> None:
    model = tiny_model("llama")
    prompt = prompt_of(model)
    with replacing():
        require_the_same(model, prompt, n=2)
    assert rows_read == []
    assert len(model.kv_caches) == 0


@pytest.mark.parametrize("kind", ["llama", "gpt2", "thinking"])
def test_log_probabilities_are_those_of_plain_transformers(kind: str) -> None:
    thinking = kind == "thinking"
    model = thinking_model("opened") if thinking else tiny_model(kind)
    network = copy.deepcopy(model.model)
    network.set_attn_implementation("eager")
    prompt = prompt_of(model, thinking=thinking or None)
    for answer in sampled(model, prompt, replace(WARM, temperature=1.7, top_p=0.95, max_thought_tokens=3)).answers:
        with torch.no_grad():
            logits = network(torch.tensor([[*prompt.token_ids, *answer.token_ids]]), use_cache=False).logits[0]
        log_probs = logits.double().log_softmax(-1)[len(prompt.token_ids) - 1 :]
        first = answer.thought.n_steps if answer.thought else 0
        written = [float(log_probs[at, answer.token_ids[at]]) for at in range(first, len(answer.token_ids))]
        assert answer.log_prob == pytest.approx(sum(written), abs=1e-4)


def test_progress_is_the_number_of_answers_that_have_ended() -> None:
    network = tiny_network("llama")
    network.generation_config.eos_token_id = list(range(0, 320, 4))
    model = loaded(network)
    told: list[int] = []
    ended(stream_samples(model, prompt_of(model), WARM, 8), told.append)
    assert told == sorted(told)
    assert (told[0] < 8, told[-1]) == (True, 8)


def stopping_after(n_looks: int) -> Iterator[bool]:
    yield from [False] * n_looks
    while True:
        yield True


@pytest.mark.parametrize("cached", [True, False])
def test_it_is_stopped_between_any_two_tokens(cached: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    prompt = prompt_of(model)
    if not cached:
        monkeypatch.setattr(sampling, "_read_prompt", lambda *_: None)
    for wanted in (1, 2, 3):
        told: list[int] = []
        with pytest.raises(lt.Cancelled, match="before all answers"):
            ended(
                stream_samples(model, prompt, WARM, N, lambda told=told, wanted=wanted: len(told) >= wanted),
                told.append,
            )
        assert len(told) == wanted


@pytest.mark.parametrize("n_looks", range(3))
def test_it_is_stopped_while_the_prompt_is_read(n_looks: int) -> None:
    model = tiny_model("llama")
    looks = stopping_after(n_looks)
    with pytest.raises(lt.Cancelled, match="before the first token"):
        next(stream_samples(model, prompt_of(model), WARM, N, lambda: next(looks)))


def test_kept_caches_stay_as_they_were_and_the_prompts_own_is_kept() -> None:
    model = tiny_model("llama")
    prompt = prompt_of(model)
    sampled(model, prompt)
    kept = dict(model.kv_caches._kept)
    assert prompt.token_ids in kept
    before = {ids: [layer.keys.clone() for layer in cache.layers] for ids, cache in kept.items()}
    sampled(model, prompt)
    assert dict(model.kv_caches._kept) == kept
    for ids, cache in kept.items():
        assert all(torch.equal(layer.keys, keys) for layer, keys in zip(cache.layers, before[ids], strict=True))


def test_greedy_decoding_is_not_sampled(tiny_llama: lt.LoadedModel) -> None:
    with pytest.raises(lt.InputError, match=r"none was given.*at least 0.01"):
        sampled(tiny_llama, prompt_of(tiny_llama), Decoding())


def test_the_last_seed_too_has_to_be_one(tiny_llama: lt.LoadedModel) -> None:
    with pytest.raises(lt.InputError, match="seed must be"):
        sampled(tiny_llama, prompt_of(tiny_llama), replace(WARM, seed=2**63 - 3))


def test_a_text_over_the_models_context_is_refused() -> None:
    model = tiny_model("llama", max_position_embeddings=64)
    prompt = next_prompt(model, begin_session(model, "chat"), "word " * 100)
    with pytest.raises(lt.InputError, match="reads 64 at most"):
        sampled(model, prompt)


@pytest.mark.real
def test_the_built_in_models_answers_are_those_that_their_seeds_write_alone(embedded: lt.LoadedModel) -> None:
    prompt = next_prompt(embedded, begin_session(embedded), QUESTION)
    require_the_same(embedded, prompt, Decoding(max_new_tokens=5, temperature=1.5, top_p=0.98), n=4)
