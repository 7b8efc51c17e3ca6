"""Rows behind a common beginning are read as each text is by itself, in whatever batches."""

from __future__ import annotations

import pytest
import torch
from small_cases import FAMILIES, gap, plain, small, tiny

import llm_tracker as lt
from llm_tracker.experiments.passes import rows, sharing_trial
from llm_tracker.experiments.passes.rows import Beginning, Row, begin, branched, common_beginning, read_rows
from llm_tracker.experiments.passes.sharing_trial import keeps_keys_apart
from llm_tracker.models.forward.hooks import is_replacing

TEXT = tuple(40 + at * 7 % 200 for at in range(60))
TEXTS = [TEXT, (*TEXT[:40], 50, 51, 52), (*TEXT[:30], *range(60, 99)), (*TEXT[:31], 99)]


def logits_of(beginning: Beginning, texts: list[tuple[int, ...]]) -> torch.Tensor:
    batches = list(read_rows(beginning, [Row(text) for text in texts]))
    assert [at for batch in batches for at in range(len(texts))[batch.rows]] == list(range(len(texts)))
    return torch.cat([batch.logits for batch in batches])


@pytest.mark.parametrize("n_shared", [0, 12, 30])
@pytest.mark.parametrize("family", FAMILIES)
def test_texts_of_unlike_length_are_read_as_each_is_by_itself(family: str, n_shared: int) -> None:
    model = small(family).model
    found = logits_of(begin(model, TEXT[:n_shared], 60), TEXTS)
    assert gap(found, torch.stack([plain(family).logits(text)[-1] for text in TEXTS])) < 1e-4


@pytest.mark.parametrize("family", ["llama", "gpt2", "cohere", "granite"])
def test_keys_that_are_kept_apart_give_the_same_as_keys_that_are_not(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small(family).model
    apart = logits_of(begin(model, TEXT[:30], 60), TEXTS)
    assert keeps_keys_apart(model)
    monkeypatch.setitem(sharing_trial._apart, model.model, False)
    assert gap(apart, logits_of(begin(model, TEXT[:30], 60), TEXTS)) < 1e-4


def test_attention_of_a_familys_own_is_given_whole_keys() -> None:
    model = small("gemma2").model
    begin(model, TEXT[:30], 60)
    assert sharing_trial._apart[model.model] is False


def test_keys_are_kept_apart_in_memory_and_not_only_in_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from llm_tracker.models.forward import attention_rows

    calls: list[int] = []
    own = attention_rows.attention_behind
    monkeypatch.setattr(attention_rows, "attention_behind", lambda *given: (calls.append(1), own(*given))[1])
    model = tiny("llama")
    beginning = begin(model, TEXT[:30], 60)
    calls.clear()
    logits_of(beginning, TEXTS)
    assert len(calls) == 3


@pytest.mark.parametrize("family", ["llama", "mistral", "mamba"])
def test_branches_that_part_are_gone_on_from_each_by_itself(family: str) -> None:
    model = tiny("mamba") if family == "mamba" else small(family).model
    texts = [TEXT, (*TEXT[:20], 200, *TEXT[21:])]
    both = branched(begin(model, TEXT[:20], 60), texts, 50)
    crossed = [Row(texts[1], branch=1), Row(texts[0]), Row(texts[1], branch=1)]
    found = torch.cat([batch.logits for batch in read_rows(both, crossed)])
    expected = logits_of(begin(model, (), 60), [texts[1], texts[0], texts[1]])
    assert gap(found, expected) < 1e-4
    assert gap(found[0], found[1]) > 0.01


def test_few_rows_at_a_time_are_read_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small("llama").model
    whole = logits_of(begin(model, TEXT[:30], 60), TEXTS)
    monkeypatch.setattr(rows, "BATCH_BYTES", 1)
    beginning = begin(model, TEXT[:30], 60)
    assert len(list(read_rows(beginning, [Row(text) for text in TEXTS]))) == len(TEXTS)
    assert gap(logits_of(beginning, TEXTS), whole) < 1e-4


@pytest.mark.parametrize("family", ["llama", "gemma2", "mpt"])
def test_the_stream_is_kept_at_each_rows_own_end(family: str) -> None:
    model = small(family).model
    (batch,) = read_rows(begin(model, TEXT[:30], 60), [Row(text) for text in TEXTS], keep_resid=True)
    expected = torch.stack([torch.stack([each[-1] for each in plain(family).states(text)[1:]]) for text in TEXTS])
    assert batch.resid is not None
    assert batch.resid.shape == expected.shape
    assert gap(batch.resid, expected) < 1e-4 * float(expected.abs().max())


def test_what_a_batch_is_read_with_is_in_every_batch_and_given_back_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small("llama").model
    beginning, source = begin(model, TEXT[:30], 60), Row(TEXTS[0])
    whole = [batch.logits for batch in read_rows(beginning, [Row(text) for text in TEXTS], [source])]
    monkeypatch.setattr(rows, "BATCH_BYTES", 1)
    seen: list[int] = []
    parts = list(
        read_rows(
            beginning,
            [Row(text) for text in TEXTS],
            [source],
            see={"resid_post": lambda layer, each: seen.append(len(each)) if layer == 0 else None},
        )
    )
    assert [len(part.logits) for part in parts] == seen == [1] * len(TEXTS)
    assert gap(torch.cat([part.logits for part in parts]), torch.cat(whole)) < 1e-4


def test_what_texts_have_in_common_leaves_each_a_token_of_its_own() -> None:
    assert common_beginning([(1, 2, 3), (1, 2, 4)]) == (1, 2)
    assert common_beginning([(1, 2), (1, 2, 4)]) == (1,)
    assert common_beginning([(1, 2, 3)]) == (1, 2)
    assert common_beginning([(5,), (6, 7)]) == ()


def test_it_stops_between_two_batches_and_leaves_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small("llama").model
    monkeypatch.setattr(rows, "BATCH_BYTES", 1)
    asked = iter([False, False, True])
    read = read_rows(begin(model, TEXT[:30], 60), [Row(text) for text in TEXTS], stop=lambda: next(asked))
    assert len([next(read), next(read)]) == 2
    with pytest.raises(lt.Cancelled, match="What was found so far stays"):
        next(read)
    assert not is_replacing()


def test_rows_with_hidden_words_are_fewer_at_once_the_longer_their_text_is() -> None:
    """Their patterns are made, and each head has keys of its own."""
    model = tiny("llama")
    counts = [begin(model, range(40, 40 + n), 1).rows_at_once(1, hides=True) for n in (50, 100, 150)]
    plain_counts = [begin(model, range(40, 40 + n), 1).rows_at_once(1) for n in (50, 100, 150)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 2 * counts[2]
    assert all(few < many for few, many in zip(counts, plain_counts, strict=True))
