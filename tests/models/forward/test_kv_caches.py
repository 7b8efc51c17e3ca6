"""A text is read on from what was read before: the numbers stay, memory is bounded, what is kept never changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from recompute import largest_gaps
from repeated import one_of_each
from tiny_models import FAMILIES, KINDS, tiny_model

import llm_tracker as lt
from llm_tracker.conversation.turns import begin_session, next_prompt, stream_turn
from llm_tracker.models.forward.kv_caches import KVCaches
from llm_tracker.progress import ended
from llm_tracker.tracing.session import Decoding

QUESTION = "What is the capital of France?"
CORRECTIONS = ["That is wrong. The correct answer is London.", "That is right."]


class Reading:
    """Counts the positions that a model reads."""

    def __init__(self, model: lt.LoadedModel) -> None:
        self.n_read = 0
        self._hook = model.layers[0].register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _layer: object, args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]) -> None:
        self.n_read += (args[0] if args else kwargs["hidden_states"]).shape[1]

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()


@pytest.mark.parametrize("family", one_of_each(FAMILIES, (*KINDS, "mistral", "gemma3_text")))
def test_every_number_that_was_read_on_is_that_of_reading_from_the_beginning(family: str) -> None:
    model = tiny_model(family)
    lt.track(model, "Who?", CORRECTIONS[:1], max_new_tokens=3, control=True)  # fills the store with other texts
    assert len(model.kv_caches) > 0
    session = lt.track(model, QUESTION, CORRECTIONS, max_new_tokens=3, control=True)
    assert max(largest_gaps(model, session).values()) <= 1e-3


def test_a_further_question_reads_only_what_comes_behind_the_recipe() -> None:
    model = tiny_model("llama")
    lt.track(model, "Who?", max_new_tokens=1)
    with Reading(model) as reading:
        turn = lt.track(model, QUESTION, max_new_tokens=1).turns[0]
    assert reading.n_read == len(turn.prompt.token_ids) - turn.prompt.n_fixed
    assert 0 < reading.n_read < turn.prompt.n_fixed


def test_a_correction_and_another_one_of_the_same_answer_read_only_what_is_new() -> None:
    model = tiny_model("llama")
    asked = lt.track(model, QUESTION, max_new_tokens=3)
    known = len(asked.turns[0].prompt.token_ids)
    for correction in CORRECTIONS:
        with Reading(model) as reading:
            session = ended(stream_turn(model, asked, correction))
        assert reading.n_read <= len(session.turns[1].prompt.token_ids) - known + 3


def test_the_control_goes_on_from_the_conversation_that_the_correction_goes_on_from() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, CORRECTIONS[:1], max_new_tokens=3)
    with Reading(model) as reading:
        whole = ended(lt.stream_control(model, session, 1))
    assert reading.n_read < len(whole.controls[1].prompt.token_ids) - session.turns[0].prompt.n_fixed


def test_an_answer_that_is_left_half_way_leaves_a_store_that_is_right() -> None:
    model = tiny_model("mistral")
    for n_tokens in (1, 2, 4):
        turn = stream_turn(model, begin_session(model), QUESTION)
        for _ in range(n_tokens):
            next(turn)
        turn.close()
    session = lt.track(model, QUESTION, CORRECTIONS, max_new_tokens=5)
    assert max(largest_gaps(model, session).values()) <= 1e-3


def test_what_fails_half_way_through_the_layers_is_not_kept() -> None:
    model = tiny_model("llama")
    turn = stream_turn(model, begin_session(model), QUESTION)
    next(turn)  # the prompt is in the cache; with the next token the first layer is one ahead of the others

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    model.kv_caches.clear()
    hook = model.layers[1].register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        next(turn)
    hook.remove()
    assert len(model.kv_caches) == 0
    session = lt.track(model, QUESTION, max_new_tokens=2)
    assert max(largest_gaps(model, session).values()) <= 1e-3


def test_two_threads_that_use_one_model_at_once_get_their_own_numbers() -> None:
    model = tiny_model("llama")
    questions = [f"What is the capital of {country}?" for country in ("France", "Peru", "Chad", "Oman")]
    with ThreadPoolExecutor(len(questions)) as threads:
        sessions = list(threads.map(lambda question: lt.track(model, question, max_new_tokens=6), questions))
    for session in sessions:
        assert max(largest_gaps(model, session).values()) <= 1e-3


def read(model: lt.LoadedModel, store: KVCaches, ids: list[int]) -> int:
    """Read a text as decoding does, keep it, and return how much of it was known."""
    cache, n_known = store.begin(model.model, ids)
    with torch.inference_mode():
        model.model(input_ids=torch.tensor([ids[n_known:]]), past_key_values=cache, use_cache=True)
    store.keep(ids, cache)
    return n_known


def test_the_longest_common_beginning_is_found_and_the_last_token_is_always_read() -> None:
    model, store = tiny_model("llama"), KVCaches()
    text = list(range(3, 103))
    assert read(model, store, text) == 0
    assert read(model, store, [*text[:60], 200, 201]) == 60
    assert read(model, store, text) == 99
    assert read(model, store, text[:40]) == 39
    assert read(model, store, [200, *text]) == 0
    assert read(model, store, [*text[:10], 200]) == 0  # too little to be worth it


def test_what_is_kept_stays_as_it_was_when_a_text_goes_on_from_it() -> None:
    model, store = tiny_model("llama"), KVCaches()
    read(model, store, list(range(3, 43)))
    kept = next(iter(store._kept.values()))
    before = [layer.keys.clone() for layer in kept.layers]
    read(model, store, [*range(3, 43), 50, 51, 52])
    assert all(torch.equal(layer.keys, keys) for layer, keys in zip(kept.layers, before, strict=True))


def test_a_sliding_window_that_has_moved_on_is_used_whole_or_not_at_all() -> None:
    model, store = tiny_model("mistral"), KVCaches()  # a window of 6
    text = list(range(3, 43))
    read(model, store, text)
    assert read(model, store, [*text[:30], 200, 201]) == 0
    assert read(model, store, [*text, 200, 201]) == 40


def test_the_store_is_bounded_in_bytes_and_what_was_used_longest_ago_goes_first() -> None:
    model = tiny_model("llama")
    per_token = 3 * 2 * 2 * 8 * 4  # layers, keys and values, kv heads, width, float32
    store = KVCaches(budget_bytes=100 * per_token)
    texts = [[start, *range(10, 49)] for start in (3, 4, 5)]
    for text in texts[:2]:
        read(model, store, text)
    read(model, store, texts[0])
    read(model, store, texts[2])
    assert store.n_bytes == 80 * per_token
    assert [ids[0] for ids in store._kept] == [3, 5]
    assert read(model, store, list(range(3, 203))) == 0
    assert store.n_bytes <= store.budget_bytes


def test_a_text_that_goes_on_from_a_kept_one_takes_its_place() -> None:
    model, store = tiny_model("llama"), KVCaches()
    read(model, store, list(range(3, 43)))
    read(model, store, list(range(3, 63)))
    assert [len(ids) for ids in store._kept] == [60]


def test_an_answer_that_ends_early_keeps_no_memory_for_the_tokens_that_never_came() -> None:
    model = tiny_model("llama")
    model.kv_caches.clear()
    session = begin_session(model, decoding=Decoding(max_new_tokens=400))
    ended(stream_turn(model, session, QUESTION, stop=iter([False] * 20 + [True] * 9).__next__))
    n_tokens = len(model.kv_caches._kept.popitem()[0])
    a_token = 2 * 4 * sum(layer.self_attn.k_proj.out_features for layer in model.layers)
    model.kv_caches.clear()
    ended(stream_turn(model, session, QUESTION, stop=iter([False] * 20 + [True] * 9).__next__))
    assert len(model.kv_caches) == 1
    assert n_tokens * a_token <= model.kv_caches.n_bytes <= 1.125 * n_tokens * a_token


def test_an_answer_is_kept_by_what_it_takes_and_not_by_what_it_might_have_taken() -> None:
    model = tiny_model("llama")
    session = begin_session(model, decoding=Decoding(max_new_tokens=400))
    n_prompt = len(next_prompt(model, session, QUESTION).token_ids)
    a_token = 2 * 4 * sum(layer.self_attn.k_proj.out_features for layer in model.layers)
    model = replace(model, kv_caches=KVCaches((n_prompt + 100) * a_token))
    ended(stream_turn(model, session, QUESTION, stop=iter([False] * 20 + [True] * 9).__next__))
    assert max(map(len, model.kv_caches._kept)) > n_prompt
