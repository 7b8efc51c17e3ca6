"""Trees of tokens behind texts: each path says what it says by itself, in whatever company it is read."""

from __future__ import annotations

import pytest
import torch
from plain_passes import Plain
from small_cases import gap, tiny

import llm_tracker as lt
from llm_tracker.experiments.passes import rows, token_trees
from llm_tracker.experiments.passes.filled_rows import Together, gone_on
from llm_tracker.experiments.passes.rows import Row, begin, read_rows
from llm_tracker.experiments.passes.token_trees import read_trees, reads_trees, tree_of

TEXT = tuple(40 + at * 7 % 200 for at in range(50))
TEXTS = [TEXT, (*TEXT[:20], 50, 51, 52), (*TEXT[:30], *range(60, 85))]
TREES = {
    0: tree_of([(61, 62, 63), (61, 62, 64), (61, 70), (65,)]),
    1: tree_of([(61,), (66, 67, 68, 69)]),
    2: tree_of([(61, 62), (62, 61)]),
}


def groups(model: lt.LoadedModel) -> list[Together]:
    (batch,) = read_rows(begin(model, TEXT[:20], 60), [Row(text) for text in TEXTS])
    return gone_on(batch, TEXTS)


def behind_all(model: lt.LoadedModel) -> Together:
    (group,) = groups(model)
    return group


def test_what_ways_have_in_common_is_in_a_tree_once_and_stands_in_front() -> None:
    assert tree_of([(5, 6, 7), (5, 6, 8), (4,)]) == ((4,), (5,), (5, 6), (5, 6, 7), (5, 6, 8))


@pytest.mark.parametrize("family", ["llama", "gemma", "gpt2", "cohere", "granite", "qwen2"])
@pytest.mark.parametrize("batch_bytes", [None, 1])
def test_every_path_of_every_tree_is_what_plain_transformers_says_behind_it(
    family: str, batch_bytes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(family)
    truth, group = Plain(model), behind_all(model)
    assert reads_trees(group.beginning, TEXTS, TREES)
    if batch_bytes is not None:
        monkeypatch.setattr(rows, "BATCH_BYTES", batch_bytes)
    found = list(read_trees(group.beginning, TEXTS, TREES))
    assert sorted(at for at, _ in found) == [0, 1, 2]
    for at, logits in found:
        for path, row in zip(TREES[at], logits, strict=True):
            assert gap(row, truth.logits((*TEXTS[at], *path))[-1]) < 1e-4


@pytest.mark.parametrize("family", ["mpt", "bloom", "mamba", "mistral", "gemma2", "gemma3_text"])
def test_where_positions_masks_or_windows_are_a_familys_own_no_tree_is_read(family: str) -> None:
    """Mistral's and Gemma's windows are shorter than the texts."""
    for group in groups(tiny(family)):
        assert not reads_trees(group.beginning, TEXTS, {at: TREES[at] for at in group.rows})


def test_a_model_that_does_not_heed_the_mask_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    own = token_trees._Places.keywords

    def unheeded(places: token_trees._Places, token_ids: torch.Tensor) -> dict[str, torch.Tensor]:
        found = own(places, token_ids)
        return {
            **found,
            "attention_mask": torch.ones_like(found["attention_mask"]).tril(found["attention_mask"].shape[-1]),
        }

    monkeypatch.setattr(token_trees._Places, "keywords", unheeded)
    assert not reads_trees(behind_all(tiny("llama")).beginning, TEXTS, TREES)


def test_it_stops_between_two_batches() -> None:
    group = behind_all(tiny("llama"))
    with pytest.raises(lt.Cancelled):
        list(read_trees(group.beginning, TEXTS, TREES, stop=lambda: True))


def test_between_two_trees_neither_the_model_is_held_nor_inference_mode_on() -> None:
    model = tiny("llama")
    group = behind_all(model)
    for _ in read_trees(group.beginning, TEXTS, TREES):
        assert not model.running._is_owned()  # type: ignore[attr-defined]
        assert not torch.is_inference_mode_enabled()
