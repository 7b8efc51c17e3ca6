"""Words are what a reader would call words, and cover every token once."""

from __future__ import annotations

import pytest

from llm_tracker.prompts.words import is_mark, token_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is the capital of France?", ["What", "is", "the", "capital", "of", "France", "?"]),
        ("it's a well-known city", ["it's", "a", "well-known", "city"]),
        ("don’t 'quote' - dash", ["don’t", "'", "quote", "'", "-", "dash"]),
        ("Zürich São Cafe\u0301", ["Zürich", "São", "Cafe\u0301"]),
        ("日本の首都は東京です。", ["日本", "の", "首都", "は", "東京", "です", "。"]),
        ("タワーのカード", ["タワー", "の", "カード"]),
        ("2024年 3rd COVID-19 12-13", ["2024年", "3rd", "COVID-19", "12-13"]),
        ("🍎🍌 👩‍👩‍👧 🇫🇷 👍🏽 #️⃣", ["🍎", "🍌", "👩‍👩‍👧", "🇫🇷", "👍🏽", "#️⃣"]),
        ("<|im_end|> $x^2$", ["<", "|", "im", "_", "end", "|", ">", "$", "x", "^", "2", "$"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("Москва-сити и Ελλάδα", ["Москва-сити", "и", "Ελλάδα"]),
        ("3.14", ["3", ".", "14"]),
        ("a 10-year-old's 4x4", ["a", "10-year-old's", "4x4"]),
        ("LondonМосква", ["London", "Москва"]),
        ("  \n\t ", []),
        ("", []),
    ],
)
def test_text_is_cut_into_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("word", "mark"), [(".", True), ("…", True), ("|", True), ("a", False), ("7", False), ("🍎", False), ("東", False)]
)
def test_a_mark_has_no_letter_digit_or_picture(word: str, mark: bool) -> None:
    assert is_mark(word) is mark


def test_tokens_of_one_word_are_grouped_and_white_space_goes_with_the_word_after_it() -> None:
    text = "Pa" + "ris" + " is" + "\n" + "big"
    spans = [(0, 2), (2, 5), (5, 8), (8, 9), (9, 12)]
    words = token_words(text, spans, ["user"] * 5)
    assert [(word.text, word.tokens) for word in words] == [("Paris", (0, 2)), (" is", (2, 3)), ("\nbig", (3, 5))]


def test_bytes_of_one_character_are_one_word() -> None:
    text = "an 🍎!"
    spans = [(0, 2), (2, 4), (3, 4), (3, 4), (4, 5)]
    words = token_words(text, spans, ["user"] * 5)
    assert [(word.text, word.tokens) for word in words] == [("an", (0, 1)), (" 🍎", (1, 4)), ("!", (4, 5))]


def test_words_that_share_a_token_are_one() -> None:
    words = token_words("a?!b", [(0, 1), (1, 3), (3, 4)], ["user"] * 3)
    assert [word.text for word in words] == ["a", "?!", "b"]
    words = token_words("x日本の", [(0, 1), (1, 2), (2, 4)], ["user"] * 3)
    assert [word.text for word in words] == ["x", "日本の"]


def test_an_unbroken_run_of_template_tokens_is_one_word() -> None:
    text = "<s>user\nHi</s>"
    spans = [(0, 3), (3, 7), (7, 8), (8, 10), (10, 14)]
    words = token_words(text, spans, ["template", "template", "template", "user", "template"])
    assert [(word.text, word.role) for word in words] == [
        ("<s>user\n", "template"),
        ("Hi", "user"),
        ("</s>", "template"),
    ]


def test_every_token_is_in_exactly_one_word_also_those_without_characters() -> None:
    spans = [(0, 0), (0, 1), (1, 1), (1, 3), (3, 4)]
    words = token_words("a b ", spans, ["template", "user", "user", "user", "user"], first=10)
    covered = [token for word in words for token in range(*word.tokens)]
    assert covered == list(range(10, 15))
    assert "".join(word.text for word in words) == "a b "
