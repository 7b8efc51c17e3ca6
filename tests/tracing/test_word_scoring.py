"""Whole words: each spelling's score is what plain transformers gives its tokens and its end, one behind the other."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from recompute import word_gap
from repeated import one_of_each
from tiny_models import FAMILIES, KINDS, loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models.forward import kv_caches
from llm_tracker.tracing import word_scoring
from llm_tracker.tracing.decoding import CHUNK_TOKENS, end_token_ids

QUESTION, CORRECTION = "What is the capital of France?", "No, London."
WORDS = ["Paris", "New York", "jupiter", "Ω"]


@pytest.mark.parametrize("family", one_of_each(FAMILIES, KINDS))
def test_every_familys_scores_are_those_of_plain_transformers(family: str) -> None:
    model = loaded(tiny_network(family))
    session = lt.track(model, QUESTION, [CORRECTION], watch_words=WORDS, max_new_tokens=3, control=True)
    for turn in (*session.turns, *session.controls.values()):
        assert turn.scores[0].keys() >= set(WORDS)
        assert word_gap(model, turn) < 1e-4


def test_a_text_that_is_kept_nowhere_is_read_in_chunks_and_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, max_new_tokens=3)
    kept = lt.with_word_scores(model, session, WORDS).turns[0].scores[0]
    monkeypatch.setitem(CHUNK_TOKENS, "sdpa", 5)
    monkeypatch.setattr(word_scoring, "MAX_ROWS", 3)
    model.kv_caches.clear()
    anew = lt.with_word_scores(model, session, WORDS).turns[0].scores[0]
    for word in WORDS:
        assert anew[word].log_prob_of_all == pytest.approx(kept[word].log_prob_of_all, abs=1e-4)


def test_what_is_scored_is_not_scored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    session = lt.with_word_scores(model, lt.track(model, QUESTION, max_new_tokens=2), WORDS)
    monkeypatch.setattr(word_scoring, "forward", lambda *_, **__: pytest.fail("it was read again"))
    assert lt.with_word_scores(model, session, WORDS).turns[0].scores == session.turns[0].scores


def test_a_kept_cache_stays_as_it_was() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, max_new_tokens=3)
    before = {ids: kv_caches.cache_bytes(cache) for ids, cache in model.kv_caches._kept.items()}
    lt.with_word_scores(model, session, WORDS)
    after = {ids: kv_caches.cache_bytes(cache) for ids, cache in model.kv_caches._kept.items()}
    assert {ids: after[ids] for ids in before} == before


def test_words_and_ends_are_probabilities() -> None:
    """All answers of one token and their end cannot be likelier than 1 together, nor a word than its first token."""
    model = tiny_model("llama")
    session = lt.with_word_scores(
        model, lt.track(model, QUESTION, max_new_tokens=2, watch_words=WORDS), ["a", "b", "The"]
    )
    turn = session.turns[0]
    scores = turn.scores[0]
    assert sum(score.prob for score in scores.values()) < 1
    for word in WORDS:
        first = turn.trace.lens[0].watched[word]
        own = next(each for each in scores[word].spellings if each.token_ids[0] == first.token_id)
        assert own.prob < float(first.prob[-1]) + 1e-6


def test_spellings_differ_in_case_and_space_and_no_two_in_their_tokens() -> None:
    model = tiny_model("llama")
    score = lt.track(model, QUESTION, max_new_tokens=1, watch_words=["paris", "42"]).turns[0].scores[0]
    assert [each.text for each in score["paris"].spellings] == ["paris", " paris", "PARIS", " PARIS", "Paris", " Paris"]
    assert [each.text for each in score["42"].spellings] == ["42", " 42"]
    total = math.log(sum(each.prob for each in score["paris"].spellings))
    assert score["paris"].log_prob_of_all == pytest.approx(total)
    assert score["paris"].log_prob == score["paris"].spellings[0].log_prob


def test_behind_the_beginning_of_an_answer_and_in_raw_text_a_word_ends_where_nothing_goes_on_with_it() -> None:
    model = tiny_model("llama")
    tokenizer = model.tokenizer
    goes_on = {at for at in range(len(tokenizer)) if tokenizer.decode([at])[:1].isalnum()}
    parts = {at for at in range(len(tokenizer)) if tokenizer.decode([at]).startswith("\ufffd")}
    ends = set(range(len(tokenizer))) - goes_on - parts
    ends = {at for at in ends if tokenizer.decode([at]) and not tokenizer.decode([at]).startswith("_")} | end_token_ids(
        model
    )
    raw = lt.track(model, "The capital of France is", recipe="raw", max_new_tokens=3, watch_words=["Paris"]).turns[0]
    assert raw.scores[0]["Paris"].end == "word"
    assert word_gap(model, raw, ends=ends) < 1e-4
    asked = lt.track(model, QUESTION, max_new_tokens=4)
    later = replace(asked, turns=(replace(asked.turns[0], answer_step=2),))
    turn = lt.with_word_scores(model, later, ["Paris"], place="answer").turns[0]
    assert turn.scores[2]["Paris"].end == "word"
    assert word_gap(model, turn, step=2, ends=ends) < 1e-4


@pytest.mark.real
def test_the_built_in_models_whole_words_are_those_of_plain_transformers(embedded: lt.LoadedModel) -> None:
    words = ["Jupiter", "New York", "Canberra"]
    turn = lt.track(embedded, "Which is the largest planet?", watch_words=words).turns[0]
    likely = replace(
        turn,
        scores={0: {word: replace(score, spellings=score.spellings[:2]) for word, score in turn.scores[0].items()}},
    )
    assert all(len(score.spellings[0].token_ids) > 1 for word, score in turn.scores[0].items() if word in words)
    assert word_gap(embedded, likely) < 1e-4
