"""Where the answer is in an answer, and which word a correction names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.prompts.tokens import special_tokens
from llm_tracker.prompts.words import word_spans
from llm_tracker.tracing.answers import (
    answer_step_of,
    answer_word,
    answer_word_of,
    find_answer_step,
    named_word,
    word_named_in,
)

FRANCE = "What is the capital of France?"


def words(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Each word as if it were one token."""
    return [(text[start:end], (place, place + 1)) for place, (start, end) in enumerate(word_spans(text))]


@pytest.mark.parametrize(
    ("answer", "watched", "step"),
    [
        ("Paris", [], 0),
        ("The capital of France is Paris.", [], 5),
        ("The capital of France is Paris.", ["London", "paris"], 5),
        ("No, it is London, not Paris.", ["Paris", "London"], 4),
        ("The capital of France is the capital of France.", [], 0),
        ("It is.", [], 0),
        ("...", [], 0),
        ("", [], 0),
        ("It is New York", ["New York"], 2),
        ("It is New Delhi or New York", ["New York"], 5),
        ("The capital of it is Amsterdam", ["The Hague"], 5),
        ("It is The Hague", ["The Hague"], 3),
        ("the 🍎", [], 1),
    ],
)
def test_the_answer_step_is_found(answer: str, watched: list[str], step: int) -> None:
    assert find_answer_step(words(answer), FRANCE, watched) == step


@pytest.mark.parametrize(
    ("correction", "named"),
    [
        ("That is wrong. The correct answer is London.", "London"),
        ("It is London.", "London"),
        ("No, the answer is New York!", "New York"),
        ("That is wrong.", None),
        ("That is right.", None),
        ("Answer the question again.", None),
        ("Are you sure?", None),
        ("I don't think that's right.", None),
        ("The capital of France is Lyon", "Lyon"),
        ("The correct answer is not Zürich-West.", "Zürich-West"),
        ("違います", "違います"),
        ("It’s London.", "London"),
        ("it's London, obviously.", "London"),
        ("No. London is right, you know.", "London"),
        ("The answer is Saint Petersburg, Russia.", "Saint Petersburg"),
        ("you mean green", "mean green"),
        ("", None),
    ],
)
def test_the_word_that_a_correction_names_is_found(correction: str, named: str | None) -> None:
    assert named_word(correction, FRANCE) == named


def test_a_mark_is_no_answer_word() -> None:
    assert answer_word("Paris.", 0) == "Paris"
    assert answer_word("Paris.", 5) is None
    assert answer_word("", 0) is None


@pytest.mark.parametrize(
    ("answer", "at", "word"),
    [
        ("New York City", 0, "New York City"),
        ("It is New York.", 5, "New York"),  # the token has the space
        ("Paris is a city", 0, "Paris"),
        ("Paris, France", 0, "Paris"),
        ("Jupiter", 1, "Jupiter"),
        ("Seven of them", 0, "Seven"),
        ("one two three four", 0, "one"),
        ("Paris\nLondon", 0, "Paris"),
    ],
)
def test_an_answers_word_is_the_whole_name_that_stands_there(answer: str, at: int, word: str) -> None:
    assert answer_word(answer, at) == word


def test_nothing_behind_a_control_token_carries_the_answer() -> None:
    text, spans, control = "It is Paris", [(0, 2), (2, 5), (5, 11)], 7
    assert answer_step_of(text, spans, [1, 2, 3], {control}, FRANCE, ["Paris"]) == 2
    assert answer_step_of(text, spans, [1, control, 3], {control}, FRANCE, ["Paris"]) == 0


def test_a_session_tells_its_answers_words_and_which_word_is_named_in_it() -> None:
    model = tiny_model("llama")
    session = lt.track(model, FRANCE, ["It is London."], recipe="chat", max_new_tokens=4)
    first, special = session.turns[0], special_tokens(model.tokenizer)
    assert answer_word_of(first, special) in (None, *session.watch_words)
    assert word_named_in(session, session.turns[1].said) == "London"
    assert word_named_in(session, "The capital of France!") is None
    assert word_named_in(replace(session, turns=()), "It is London.") is None, "a question names no answer"
