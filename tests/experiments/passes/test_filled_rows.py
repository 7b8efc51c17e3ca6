"""Texts of unlike length are gone on from together where a model reads them so, and by length where it does not."""

from __future__ import annotations

import pytest
import torch
from plain_passes import Plain
from small_cases import gap, tiny

import llm_tracker as lt
from llm_tracker.experiments.passes.filled_rows import gone_on
from llm_tracker.experiments.passes.rows import Row, begin, read_rows

TEXT = tuple(40 + at * 7 % 200 for at in range(50))
TEXTS = [TEXT, (*TEXT[:20], 50, 51, 52), (*TEXT[:30], *range(60, 85)), (*TEXT[:22], 99)]
MORE = (61, 62, 63)
LONGEST = max(map(len, TEXTS))


def read_on(model: lt.LoadedModel) -> tuple[list[tuple[int, ...]], dict[int, torch.Tensor]]:
    """The groups that texts are taken in, and the logits behind each with three tokens more, read one by one."""
    (batch,) = read_rows(begin(model, TEXT[:20], 60), [Row(text) for text in TEXTS])
    groups = gone_on(batch, TEXTS)
    logits: dict[int, torch.Tensor] = {}
    for group in groups:
        beginning, branches = group.beginning, list(group.rows)
        for n in range(1, len(MORE) + 1):
            rows = [Row((*TEXTS[at], *MORE[:n]), branch=row) for at, row in zip(group.rows, branches, strict=True)]
            (read,) = read_rows(beginning, rows)
            beginning, branches = read.after, list(range(len(rows)))
        logits |= dict(zip(group.rows, read.logits, strict=True))
    return [group.rows for group in groups], logits


def require_plain(model: lt.LoadedModel, logits: dict[int, torch.Tensor]) -> None:
    truth = Plain(model)
    assert sorted(logits) == [0, 1, 2, 3]
    assert max(gap(row, truth.logits((*TEXTS[at], *MORE))[-1]) for at, row in logits.items()) < 1e-4


@pytest.mark.parametrize("family", ["llama", "gemma", "gpt2", "cohere", "granite", "qwen2"])
def test_a_model_that_heeds_positions_and_masks_goes_on_behind_all_texts_at_once(family: str) -> None:
    model = tiny(family)
    groups, logits = read_on(model)
    assert groups == [(0, 1, 2, 3)]
    require_plain(model, logits)


@pytest.mark.parametrize("family", ["mpt", "bloom", "mamba"])
def test_a_model_that_counts_positions_in_its_own_way_goes_on_by_length(family: str) -> None:
    model = tiny(family)
    groups, logits = read_on(model)
    assert groups == [(1, 3), (0,), (2,)]
    require_plain(model, logits)


@pytest.mark.parametrize("family", ["mistral", "gemma2", "gemma3_text"])
@pytest.mark.parametrize("window", [6, 24, LONGEST - 1])
def test_texts_longer_than_a_sliding_window_are_taken_by_length(family: str, window: int) -> None:
    model = tiny(family, sliding_window=window)
    groups, logits = read_on(model)
    assert groups == [(1, 3), (0,), (2,)]
    require_plain(model, logits)


@pytest.mark.parametrize("n_more", [0, 1, 2, 3, 4, 100])
def test_a_window_that_is_left_while_words_are_read_is_heeded(n_more: int) -> None:
    model = tiny("mistral", sliding_window=LONGEST + n_more)
    _, logits = read_on(model)
    require_plain(model, logits)


def test_texts_of_one_length_are_taken_as_they_are() -> None:
    model = tiny("mpt")
    texts = [TEXT, (*TEXT[:40], *range(60, 70))]
    (batch,) = read_rows(begin(model, TEXT[:20], 60), [Row(text) for text in texts])
    (group,) = gone_on(batch, texts)
    assert group.rows == (0, 1)
    assert group.beginning.gaps is None
