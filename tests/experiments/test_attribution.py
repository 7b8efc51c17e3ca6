"""What each part adds to the difference of two logits: as plain transformers' own states say, and by hand."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from one_layer import SHARPNESS, SIZE, logits_by_hand, one_layer_model, state_by_hand
from plain_routes import End, Parts
from small_cases import Small, gap, plain, small, small_case, tiny

import llm_tracker as lt
from llm_tracker.experiments.attribution import attribution
from llm_tracker.experiments.values.findings import Attribution, Unavailable

FAMILIES = ["llama", "gemma2", "gemma3_text", "gpt2", "mistral", "cohere", "granite", "qwen2", "stablelm"]


def of(case: Small, with_words: bool = True) -> Attribution:
    found = attribution(case.model, "after", case.prompt, case.probe, with_words)
    assert not isinstance(found, Unavailable), found.why_not
    assert all(check.ok for check in found[1])
    return found[0]


@cache
def attributed(family: str) -> Attribution:
    return of(small(family))


@cache
def parts(family: str) -> tuple[Parts, End]:
    case, truth = small(family), plain(family)
    found = Parts(truth, case.probe.text(case.prompt))
    return found, End(truth, found.states[-1], (case.probe.answer_id, case.probe.foil_id))


@pytest.mark.parametrize("family", FAMILIES)
def test_each_part_is_what_plain_transformers_writes_into_the_stream(family: str) -> None:
    (truth, end), found = parts(family), attributed(family)
    margins = [[float(end.margin(each)) for each in several] for several in (truth.attention, truth.mlp)]
    assert [layer.attention for layer in found.layers] == pytest.approx(margins[0], abs=1e-4)
    assert [layer.mlp for layer in found.layers] == pytest.approx(margins[1], abs=1e-4)
    assert found.embedding == pytest.approx(float(end.margin(truth.states[0])), abs=1e-4)
    assert found.remainder == pytest.approx(end.bias(), abs=1e-4)


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "qwen2", "stablelm", "cohere", "granite"])
def test_all_parts_sum_to_the_models_own_logits(family: str) -> None:
    case, found = small(family), attributed(family)
    own = float(case.probe.margins(plain(family).logits(case.probe.text(case.prompt))[-1]))
    assert found.logit_difference == pytest.approx(own, abs=1e-4)
    assert found.sum == pytest.approx(found.logit_difference, abs=1e-4)


@pytest.mark.parametrize("family", ["gemma2", "gemma3_text"])
def test_behind_a_soft_cap_the_sum_is_that_of_the_logits_before_it(family: str) -> None:
    case, found = small(family), attributed(family)
    logits = plain(family).logits(case.probe.text(case.prompt))[-1].double()
    before = 5 * torch.atanh(logits / 5)
    assert found.logit_difference == pytest.approx(float(case.probe.margins(before)), rel=1e-3)
    assert found.sum == pytest.approx(found.logit_difference, abs=1e-4)
    assert abs(found.logit_difference - float(case.probe.margins(logits))) > 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_heads_are_those_of_plain_transformers_and_sum_to_their_layers_attention(family: str) -> None:
    (truth, end), found = parts(family), attributed(family)
    assert found.heads is not None
    for layer, heads in enumerate(found.heads):
        expected = [float(end.margin(truth.head(layer, head))) for head in range(truth.plain.n_heads)]
        assert heads == pytest.approx(expected, abs=1e-4)
        bias = getattr(truth.plain.projections[layer], "bias", None)
        rest = 0.0 if bias is None else float(end.margin(bias.detach()))
        assert math.fsum(heads) + rest == pytest.approx(found.layers[layer].attention, abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_head_brings_from_each_word_sums_to_the_head(family: str) -> None:
    found = attributed(family)
    assert found.heads is not None
    assert len(found.head_words) == 8
    for each in found.head_words:
        assert len(each.words) == len(found.words)
        # what the bias of values adds has no share of its own: patterns sum to 1, and each position has its part
        assert math.fsum(each.words) == pytest.approx(found.heads[each.layer - 1][each.head - 1], abs=1e-4)
    together = math.fsum(word.contribution for word in found.words)
    assert together == pytest.approx(math.fsum(math.fsum(heads) for heads in found.heads), abs=1e-3)


def test_the_heads_with_words_are_those_that_bring_most() -> None:
    found = attributed("llama")
    assert found.heads is not None
    sizes = sorted((abs(each) for heads in found.heads for each in heads), reverse=True)
    kept = [abs(found.heads[each.layer - 1][each.head - 1]) for each in found.head_words]
    assert kept == sizes[:8]


@pytest.mark.parametrize("family", ["llama", "gemma2", "granite"])
def test_a_word_brings_what_the_heads_pattern_weighs_of_its_values(family: str) -> None:
    truth, end = parts(family)
    case, found = small(family), attributed(family)
    ids = torch.tensor([case.probe.text(case.prompt)])
    values: list[torch.Tensor] = []
    hooks = [
        each.v_proj.register_forward_hook(lambda _m, _a, out: values.append(out[0])) for each in truth.plain.attentions
    ]
    with torch.no_grad():
        patterns = truth.plain.network(ids, output_attentions=True, use_cache=False).attentions
    for hook in hooks:
        hook.remove()
    for each in found.head_words[:3]:
        layer, head = each.layer - 1, each.head - 1
        width = truth.z[layer].shape[0] // truth.plain.n_heads
        own = values[layer].view(len(values[layer]), -1, width)[:, head // 2]
        for word, share in zip(found.words, each.words, strict=True):
            brought = patterns[layer][0, head, -1, slice(*word.tokens)] @ own[slice(*word.tokens)]
            z = torch.zeros_like(truth.z[layer])
            z[head * width : (head + 1) * width] = brought
            written = truth._behind[layer] @ truth._projected(layer, z)
            assert share == pytest.approx(float(end.margin(written)), abs=1e-4)


def test_of_a_model_made_by_hand_a_word_brings_its_share_of_the_text() -> None:
    case = small_case(one_layer_model(), answer="t", foil="h", correction="That is the hat.")
    text, found = case.probe.text(case.prompt), of(case)
    state = state_by_hand(text)
    gain = SHARPNESS / float(state.pow(2).mean().sqrt())
    in_text = SIZE**0.5 / len(text) * gain
    for word in found.words:
        own = text[slice(*word.tokens)]
        difference = own.count(case.probe.answer_id) - own.count(case.probe.foil_id)
        assert word.contribution == pytest.approx(difference * in_text, abs=1e-5)
    assert found.embedding == pytest.approx(0, abs=1e-5)
    assert found.layers[0].mlp == 0
    assert found.sum == pytest.approx(float(case.probe.margins(logits_by_hand(text))), abs=1e-4)
    assert abs(found.sum) > 0.1


def test_a_model_without_attention_says_what_it_lacks() -> None:
    case = small_case(tiny("mamba"))
    found = attribution(case.model, "after", case.prompt, case.probe)
    assert isinstance(found, Unavailable)
    assert "cannot be read" in found.why_not


def test_where_heads_cannot_be_told_apart_layers_can() -> None:
    found = attributed("bloom")
    assert found.heads is None
    assert found.words == found.head_words == ()
    assert found.sum == pytest.approx(found.logit_difference, abs=1e-4)


def test_it_stops_between_two_chunks() -> None:
    case = small("llama")
    with pytest.raises(lt.Cancelled):
        attribution(case.model, "after", case.prompt, case.probe, with_words=True, stop=lambda: True)
    assert gap([of(case, with_words=False).sum], [attributed("llama").sum]) < 1e-5


def test_while_parts_are_taken_the_model_is_held_against_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case(tiny("gemma2"))
    alone: list[bool] = []
    hooks = [
        module.register_forward_hook(lambda *_: alone.append(case.model.running._is_owned()))
        for module in case.model.model.modules()
        if type(module).__name__.endswith("RMSNorm")
    ]
    attribution(case.model, "after", case.prompt, case.probe, True)
    for hook in hooks:
        hook.remove()
    assert len(alone) > 3
    assert all(alone)
