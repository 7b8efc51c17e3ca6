"""How models cut what was said: as each one's own tokenizer does, and alike where the places are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from model_runs import CORRECTION, QUESTION, WORD, called, had, run_of, tiny

import llm_tracker as lt
from llm_tracker.analysis.across_models.runs import ModelRun, named
from llm_tracker.analysis.across_models.tokenisations import cuts, said_tokens


def plain_tokens(text: str) -> list[str]:
    """What the tokenizer itself makes of a text at the beginning of a message."""
    tokenizer = tiny().tokenizer
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return [tokenizer.decode([each]) for each in ids]


@pytest.mark.parametrize(("turn", "text"), [(0, QUESTION), (1, CORRECTION)])
def test_the_tokens_of_what_was_said_last_are_the_tokenizers_own(turn: int, text: str) -> None:
    assert list(said_tokens(run_of().session.turns[turn])) == plain_tokens(text)


@pytest.mark.parametrize("text", ["Is 🍎 a fruit?", "東京?"])
def test_part_of_a_character_is_shown_by_its_bytes(text: str) -> None:
    turn = lt.track(tiny(), text, recipe="raw", max_new_tokens=1).turns[0]
    tokens = said_tokens(turn)
    held = b"".join(bytes.fromhex(token[1:-1]) if token.startswith("⟨") else token.encode() for token in tokens)
    assert held.decode() == text
    assert "⟨" in "".join(tokens)


def with_word(run: ModelRun, *tokens: str) -> ModelRun:
    return replace(run, word_tokens={WORD: tokens})


def ways(*runs: ModelRun) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """How the word is cut."""
    return cuts(named(runs), [WORD])[-1].ways


def test_models_that_cut_at_the_same_places_cut_alike_whatever_space_stands_in_front() -> None:
    run = called(run_of(), "Small")
    assert ways(with_word(run, " Par", "is"), with_word(run, "Par", "is")) == (((" Par", "is"), ("A", "B")),)
    assert ways(with_word(run, " Paris"), with_word(run, "Par", "is")) == (
        ((" Paris",), ("A",)),
        (("Par", "is"), ("B",)),
    )
    assert ways(with_word(run, " ", "Paris"), with_word(run, "Paris")) == (
        ((" ", "Paris"), ("A",)),
        (("Paris",), ("B",)),
    )


def test_a_word_that_some_model_did_not_follow_is_left_out() -> None:
    run = called(run_of(), "Small")
    for runs in ([run, with_word(run, "Paris"), replace(run, word_tokens={})], [run, run]):
        words = [WORD] if len(runs) == 3 else ["zebra"]
        assert [cut.kind for cut in cuts(named(runs), words)] == ["question", "correction"]


def test_every_turn_is_cut_and_then_the_words() -> None:
    run = had(tiny(), (QUESTION, CORRECTION, "Sure?"))
    found = cuts(named([run, run]), [WORD])
    assert [(cut.kind, cut.text) for cut in found] == [
        ("question", QUESTION),
        ("correction", CORRECTION),
        ("correction", "Sure?"),
        ("word", WORD),
    ]
    assert all(cut.is_alike for cut in found)
    assert cuts((), [WORD]) == []
