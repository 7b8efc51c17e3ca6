"""Words hidden from the answer slot: what plain transformers says where its own masks are closed there."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from one_layer import logits_by_hand, one_layer_model
from plain_passes import Plain, Span
from small_cases import FAMILIES, Small, gap, own_chat_ids, plain, small, small_case, tiny

from llm_tracker.experiments.knock_out import knock_outs
from llm_tracker.experiments.passes.interventions import KnockOut
from llm_tracker.experiments.passes.rows import Row, begin, read_rows
from llm_tracker.experiments.values.findings import KnockOuts, Unavailable

HEEDING = [family for family in FAMILIES if family != "mpt"]
ALL = (1, 3)


def hidden(case: Small, layers: Span | None = None) -> KnockOuts:
    found = knock_outs(case.model, case.prompt, case.probe, layers)
    assert not isinstance(found, Unavailable), found.why_not
    assert all(check.ok for check in found[1])
    return found[0]


def logits_without(case: Small, *hides: KnockOut, text: tuple[int, ...] = ()) -> torch.Tensor:
    """(row, vocab_size): nothing hidden, and each of these."""
    text = text or case.probe.text(case.prompt)
    beginning = begin(case.model, text[:20], len(text) - 20)
    rows = [Row(text), *(Row(text, (hide,)) for hide in hides)]
    return next(read_rows(beginning, rows)).logits


@pytest.mark.parametrize("layers", [ALL, (2, 2), (2, 3)])
@pytest.mark.parametrize("family", HEEDING)
def test_every_words_effect_is_that_of_plain_transformers_own_masks(family: str, layers: Span) -> None:
    case, truth = small(family), plain(family)
    text, found = case.probe.text(case.prompt), hidden(case, layers)
    slot = (len(text) - 1, len(text))
    margin = float(case.probe.margins(truth.logits(text)[-1]))
    assert found.margin == pytest.approx(margin, abs=1e-4)
    for word in found.words:
        places = truth.hiding(len(text), word.tokens, slot, range(layers[0], layers[1] + 1))
        without = float(case.probe.margins(truth.without_edges(text, places)[-1]))
        assert word.delta == pytest.approx(without - margin, abs=1e-4)
    assert max(abs(word.delta) for word in found.words) > 0.1


def test_a_window_of_layers_is_another_question_than_all_of_them() -> None:
    case = small("llama")
    several = [[word.delta for word in hidden(case, layers).words] for layers in (ALL, (2, 2), (2, 3))]
    assert min(gap(one, other) for one, other in pairwise(several)) > 0.1


def test_each_word_is_told_once_and_with_it_each_message_and_the_recipe() -> None:
    case = small("llama")
    found = hidden(case)
    said = [(word.text.strip(), word.is_segment) for word in found.words if word.role == "user"]
    assert said[:8] == [
        ("What is the capital of France?", True),
        *((word, False) for word in ("What", "is", "the", "capital", "of", "France", "?")),
    ]
    assert next(word.role for word in found.words if word.is_segment) == "recipe"
    assert [word.out_of_distribution for word in found.words] == [word.role == "recipe" for word in found.words]


@pytest.mark.parametrize("family", ["llama", "gemma2", "bloom"])
def test_hiding_nothing_changes_nothing(family: str) -> None:
    case = small(family)
    slot = len(case.prompt.token_ids) - 1
    of_none, in_none = KnockOut((), (slot, slot + 1), ALL), KnockOut(((3, 9),), (slot, slot + 1), (3, 2))
    itself = KnockOut(((slot, slot + 1),), (slot, slot + 1), ALL)
    something = KnockOut(((3, 9),), (slot, slot + 1), ALL)
    plainly, *nothing, changed = logits_without(case, of_none, in_none, itself, something)
    assert [gap(each, plainly) <= 1e-6 for each in nothing] == [True] * 3
    assert gap(changed, plainly) > 1e-3


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "bloom", "mistral"])
def test_a_slot_that_sees_but_itself_says_the_same_whatever_the_other_words_are(family: str) -> None:
    case = small(family)
    text = case.probe.text(case.prompt)
    other = tuple(40 + at % 60 for at in range(len(text) - 1)) + text[-1:]
    alone = KnockOut(((0, len(text)),), (len(text) - 1, len(text)), ALL)
    (whole, one), (_, two) = (logits_without(case, alone, text=ids) for ids in (text, other))
    assert gap(one, two) <= 1e-5 * float(whole.std())
    assert gap(one, whole) > 0.1


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "granite", "mistral"])
def test_a_word_that_no_later_one_sees_is_a_word_that_is_masked(family: str) -> None:
    """Erasure is transformers' own two-dimensional mask, the positions told."""
    case, truth = small(family), plain(family)
    text, word = case.probe.text(case.prompt), (30, 34)
    mask = torch.ones(1, len(text), dtype=torch.long)
    mask[0, slice(*word)] = 0
    with torch.no_grad():
        expected = truth.network(
            torch.tensor([text]), attention_mask=mask, position_ids=torch.arange(len(text))[None], use_cache=False
        ).logits[0, -1]
    whole, erased = logits_without(case, KnockOut((word,), (word[1], len(text)), ALL))
    assert gap(erased, expected) < 1e-4
    assert gap(erased, whole) > 0.05


def test_of_a_model_made_by_hand_the_effect_is_what_the_share_of_the_other_words_says() -> None:
    model = one_layer_model()
    case = small_case(model, answer="t", foil="h", correction="That is the hat.")
    text = own_chat_ids(
        model,
        [
            ("user", "Sky?"),
            ("assistant", "Blue"),
            ("user", "What is the capital of France?"),
            ("assistant", case.case.own_answer),
            ("user", "That is the hat."),
        ],
    )
    assert case.probe.text(case.prompt) == text
    words = (case.probe.answer_id, case.probe.foil_id)

    def margin(places: tuple[int, ...] = ()) -> float:
        logits = logits_by_hand(text, places)
        return float(logits[words[0]] - logits[words[1]])

    found = hidden(case, (1, 1))
    assert found.margin == pytest.approx(margin(), abs=1e-4)
    for word in found.words:
        assert word.delta == pytest.approx(margin(tuple(range(*word.tokens))) - margin(), abs=1e-4)
        assert word.share == pytest.approx((word.tokens[1] - word.tokens[0]) / len(text), abs=1e-6)
    assert max(abs(word.delta) for word in found.words) > 0.1


def test_a_model_without_attention_has_no_word_to_hide() -> None:
    case = small_case(tiny("mamba"))
    found = knock_outs(case.model, case.prompt, case.probe)
    assert isinstance(found, Unavailable)
    assert "no attention pattern" in found.why_not


def test_where_a_family_does_not_heed_what_is_hidden_it_is_said_and_no_number_is_shown() -> None:
    case = small("mpt")
    found = knock_outs(case.model, case.prompt, case.probe)
    if isinstance(found, Unavailable):
        assert "does not heed" in found.why_not
        return
    text = case.probe.text(case.prompt)
    truth = Plain(case.model)
    for word in found[0].words:
        places = truth.hiding(len(text), word.tokens, (len(text) - 1, len(text)), (1, 2, 3))
        without = float(case.probe.margins(truth.without_edges(text, places)[-1]))
        assert word.delta == pytest.approx(without - found[0].margin, abs=1e-4)


def test_hiding_all_that_a_head_looks_at_leaves_the_softmax_of_the_rest() -> None:
    """With scores this far apart, what is left of a pattern that was cut would be zeros."""
    model = tiny("llama")
    with torch.no_grad():
        for layer in model.model.model.layers:
            layer.self_attn.q_proj.weight *= 100
    case = small_case(model)
    text, truth = case.probe.text(case.prompt), Plain(model)
    slot, margin = (len(text) - 1, len(text)), float(case.probe.margins(truth.logits(text)[-1]))
    for word in hidden(case).words:
        places = truth.hiding(len(text), word.tokens, slot, (1, 2, 3))
        without = float(case.probe.margins(truth.without_edges(text, places)[-1]))
        assert word.delta == pytest.approx(without - margin, abs=1e-3)
