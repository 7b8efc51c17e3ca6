"""The token that stands for a watch word is the one that would be written in that place, worked out by hand."""

from __future__ import annotations

import pytest

import llm_tracker as lt
from llm_tracker.analysis.lens.watch_tokens import watch_token_id

pytestmark = pytest.mark.real


def first_token(model: lt.LoadedModel, prompt: str, word: str) -> str:
    """What is watched where nothing was written yet, as the vocabulary spells it ("Ġ" is a space)."""
    turn = lt.track(model, prompt, recipe="raw", max_new_tokens=1).turns[0]
    return str(model.tokenizer.convert_ids_to_tokens(watch_token_id(model, turn.trace, word)))


@pytest.mark.parametrize(
    ("prompt", "word", "token"),
    [
        ("The capital of France is", "Paris", "ĠParis"),
        ("The capital of France is:", "Paris", "ĠParis"),
        ("Say Paris.", "Paris", "ĠParis"),
        ("The capital of France is ", "Paris", "Paris"),
        ("The capital of France:\n", "Paris", "Paris"),
        ('The capital of France is "', "Paris", "Paris"),
        ("The capital (", "Paris", "Paris"),
        ("She said “", "Paris", "Paris"),
        ('He said "yes"', "Paris", "ĠParis"),
        ("フランスの首都は", "パリ", "ãĥ"),
        ("The capital is", "Tokyo", "ĠTokyo"),
        ("The capital:\n", "Tokyo", "To"),
    ],
)
def test_a_space_stands_in_front_where_it_would_be_written(
    embedded: lt.LoadedModel, prompt: str, word: str, token: str
) -> None:
    watched = first_token(embedded, prompt, word)
    assert watched.startswith(token)
    if "ãĥ" not in token:
        assert watched == token


def test_in_a_sentence_the_watched_token_is_the_one_that_was_written(embedded: lt.LoadedModel) -> None:
    session = lt.track(
        embedded, "What is the capital of France?", ["That is wrong. The correct answer is London."], recipe="chat"
    )
    for turn in session.turns:
        step = turn.answer_step
        watched = turn.trace.lens[step].watched["Paris"]
        assert watched.token_id == turn.trace.token_ids[step]
        assert watched.prob[-1] == pytest.approx(turn.trace.token_probs[step], abs=1e-5)
        assert turn.trace.lens[0].watched["Paris"].token == "Paris"


def test_a_control_string_is_watched_as_text(embedded: lt.LoadedModel) -> None:
    session = lt.track(embedded, "Who?", max_new_tokens=1, watch_words=["<|im_end|>"])
    assert session.turns[0].trace.lens[0].watched["<|im_end|>"].token_id not in embedded.tokenizer.all_special_ids


def test_a_watch_word_that_no_model_can_read_is_refused_before_anything_is_written(embedded: lt.LoadedModel) -> None:
    with pytest.raises(lt.InputError, match="surrogate"):
        lt.track(embedded, "Who?", watch_words=["\udcff"])
    with pytest.raises(lt.InputError, match="empty"):
        lt.track(embedded, "Who?", max_new_tokens=1, watch_words=[" "])
