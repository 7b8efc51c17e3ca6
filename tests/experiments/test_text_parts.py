"""The parts of a text: words one by one, whole messages, and the recipe as one."""

from __future__ import annotations

import pytest
from small_cases import RECIPE, small_case, tiny

import llm_tracker as lt
from llm_tracker.experiments.text_parts import covering_words, hidden_parts
from llm_tracker.prompts.prompt import Prompt

MODEL = tiny("llama")


def prompt_of(recipe: object = RECIPE, model: lt.LoadedModel = MODEL) -> Prompt:
    return small_case(model, recipe=recipe).prompt


@pytest.mark.parametrize("recipe", [RECIPE, "chat", "one-word", "raw"])
@pytest.mark.parametrize("n_more", [0, 3])
def test_covering_words_have_every_position_once(recipe: object, n_more: int) -> None:
    prompt = prompt_of(recipe)
    n = len(prompt.token_ids) + n_more
    words = covering_words(prompt, n)
    assert [at for word in words for at in range(*word.tokens)] == list(range(n))
    assert [word.role for word in words].count("recipe") == (recipe not in ("chat", "raw"))
    assert (words[-1].role == "answer") == bool(n_more)


def test_the_recipe_is_one_part_with_all_its_marks() -> None:
    first = covering_words(prompt_of(), len(prompt_of().token_ids))[0]
    assert first.text.startswith("<|start|>user\nSky?<|end|>")
    assert first.text.rstrip().endswith("Blue")


def test_hidden_parts_are_each_word_that_was_said_and_each_message_of_several() -> None:
    parts = hidden_parts(prompt_of())
    segments = [part.word.text.strip() for part in parts if part.is_segment and part.word.role == "user"]
    assert segments == ["What is the capital of France?", "No, it is Rome."]
    words = [part.word.text.strip() for part in parts if not part.is_segment and part.word.role == "user"]
    assert words == "What is the capital of France ? No , it is Rome .".split()
    starts = [part.word.tokens[0] for part in parts]
    assert starts == sorted(starts)
    assert not [part for part in parts if part.word.role == "template"]


def test_a_message_of_one_word_is_told_once() -> None:
    prompt = small_case(MODEL, recipe="chat", correction="No").prompt
    assert [part.is_segment for part in hidden_parts(prompt) if part.word.text.strip() == "No"] == [False]


def test_the_recipes_system_line_is_one_part() -> None:
    parts = hidden_parts(prompt_of([{"role": "system", "content": "Be brief"}]))
    (line,) = [part for part in parts if part.word.role == "recipe"]
    assert "Be brief" in line.word.text
    assert line.is_segment
