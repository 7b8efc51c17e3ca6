"""The score of a word: its tokens and its end, in any of its spellings, whatever is read at once."""

from __future__ import annotations

import math

import pytest
import torch
from plain_passes import score_of
from small_cases import Small, plain, small
from word_ways import ways

import llm_tracker as lt
from llm_tracker.experiments.passes import forced_choice, rows
from llm_tracker.experiments.passes.forced_choice import choices_of, score_batch
from llm_tracker.experiments.passes.rows import Batch, Row, begin, common_beginning, read_rows

WORDS = [["Rome", "Roma"], ["New York"], ["42"]]
FAMILIES = ["llama", "gpt2", "gemma2", "mpt"]


def texts_of(case: Small) -> list[tuple[int, ...]]:
    """Three texts, the last of which is longer."""
    return [case.setting.prompt(said).token_ids for said in ("Yes.", "No? ", "It is Rome, as everybody knows.")]


def batch_of(case: Small, texts: list[tuple[int, ...]], n_shared: int | None = None) -> Batch:
    shared = common_beginning(texts)[:n_shared]
    beginning = begin(case.model, shared, max(map(len, texts)) - len(shared) + 16)
    return next(read_rows(beginning, [Row(text) for text in texts]))


def scores(case: Small, texts: list[tuple[int, ...]]) -> list[list[float]]:
    choices = [choices_of(case.model, case.prompt, WORDS) for _ in texts]
    return score_batch(batch_of(case, texts), texts, choices, "answer")


@pytest.mark.parametrize("family", FAMILIES)
def test_all_words_behind_all_texts_score_as_each_does_by_itself(family: str) -> None:
    case = small(family)
    texts = texts_of(case)
    alone = [found for text in texts for found in scores(case, [text])]
    for text, found, by_itself in zip(texts, scores(case, texts), alone, strict=True):
        expected = [score_of(plain(family), text, ways(case.model, words), [0]) for words in WORDS]
        assert found == pytest.approx(expected, abs=1e-4)
        assert by_itself == pytest.approx(expected, abs=1e-4)


def test_few_rows_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small("llama")
    texts = texts_of(case)
    whole = scores(case, texts)
    monkeypatch.setattr(rows, "BATCH_BYTES", 1)
    choices = choices_of(case.model, case.prompt, WORDS)
    one_by_one = [score_batch(batch_of(case, [text]), [text], [choices], "answer")[0] for text in texts]
    assert one_by_one == [pytest.approx(each, abs=1e-4) for each in whole]


def test_spellings_that_are_unlikely_are_read_where_they_could_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small("llama")
    texts = texts_of(case)
    whole = scores(case, texts)
    for close_nats in (math.inf, 0.0):
        monkeypatch.setattr(forced_choice, "CLOSE_NATS", close_nats)
        assert scores(case, texts) == [pytest.approx(each, abs=6e-5) for each in whole]
    monkeypatch.setattr(forced_choice, "NEGLIGIBLE_NATS", -math.inf)
    likely = scores(case, texts)
    assert (
        max(full - part for row, own in zip(whole, likely, strict=True) for full, part in zip(row, own, strict=True))
        > 1e-3
    )


def test_the_spellings_of_a_word_are_those_in_context_each_once() -> None:
    case = small("llama")
    (choice,) = choices_of(case.model, case.prompt, [["Rome"]])
    assert choice == ways(case.model, ["Rome"])
    assert len(choice) == 6
    (number,) = choices_of(case.model, case.prompt, [["42"]])
    assert len(number) == 2
    with pytest.raises(lt.InputError, match="no token for it"):
        choices_of(case.model, case.prompt, [[" "]])


def test_words_are_probabilities_that_sum_to_less_than_1() -> None:
    case = small("llama")
    texts = texts_of(case)[:1]
    words = [[chr(at)] for at in range(ord("a"), ord("z") + 1)]
    (found,) = score_batch(batch_of(case, texts), texts, [choices_of(case.model, case.prompt, words)], "answer")
    assert torch.tensor(found).logsumexp(-1) < 0
    of_a = choices_of(case.model, case.prompt, [["A"]])
    assert score_batch(batch_of(case, texts), texts, [of_a], "answer")[0] == pytest.approx(found[:1], abs=1e-4)


def test_it_stops_between_two_batches() -> None:
    case = small("llama")
    texts = texts_of(case)
    choices = [choices_of(case.model, case.prompt, WORDS) for _ in texts]
    with pytest.raises(lt.Cancelled):
        score_batch(batch_of(case, texts), texts, choices, "answer", stop=lambda: True)
