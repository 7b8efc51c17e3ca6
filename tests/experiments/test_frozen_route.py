"""What each word adds along the frozen routes: as plain transformers, held by hand, says; and by hand altogether."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from one_layer import SHARPNESS, SIZE, one_layer_model, state_by_hand
from plain_passes import Plain
from plain_routes import Held
from small_cases import Small, gap, plain, small, small_case, tiny

from llm_tracker.experiments import frozen_route as module
from llm_tracker.experiments.frozen_route import frozen_route
from llm_tracker.experiments.values.findings import FrozenRoute, Unavailable
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import is_replacing

GATED = ["llama", "mistral", "gemma2", "gemma3_text", "granite", "cohere", "qwen2", "stablelm", "qwen3", "gemma"]
UNGATED = ["gpt2", "gpt_neox", "phi"]


def of(case: Small) -> FrozenRoute:
    found = frozen_route(case.model, case.prompt, case.probe)
    assert not isinstance(found, Unavailable), found.why_not
    sums, forwards = found[1]
    assert sums.ok
    assert sums.gap <= 1e-3
    assert forwards.gap <= 1e-5
    return found[0]


@cache
def routes(family: str) -> FrozenRoute:
    return of(small(family))


@pytest.mark.parametrize("family", [*GATED, *UNGATED])
def test_each_words_contribution_is_that_of_plain_transformers_held_by_hand(family: str) -> None:
    case, found = small(family), routes(family)
    by_position, bias = Held(Plain(case.model)).routes(
        case.probe.text(case.prompt), (case.probe.answer_id, case.probe.foil_id)
    )
    expected = [float(by_position[slice(*word.tokens)].sum()) for word in found.words]
    assert [word.contribution for word in found.words] == pytest.approx(expected, abs=1e-4)
    assert found.bias == pytest.approx(bias, abs=1e-4)
    assert max(map(abs, expected)) > 0.05


@pytest.mark.parametrize("family", [*GATED, *UNGATED])
def test_words_and_biases_sum_to_the_margin(family: str) -> None:
    found = routes(family)
    assert found.sum == pytest.approx(found.margin, abs=1e-3)
    spans = [word.tokens for word in found.words]
    assert [span[0] for span in spans] == [0, *(span[1] for span in spans[:-1])]
    assert spans[-1][1] == len(small(family).prompt.token_ids)


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2", "stablelm", "cohere", "granite"])
def test_the_margin_is_the_models_own(family: str) -> None:
    case = small(family)
    own = float(case.probe.margins(plain(family).logits(case.probe.text(case.prompt))[-1]))
    assert routes(family).margin == pytest.approx(own, abs=1e-4)


def test_biases_have_a_row_of_their_own_where_a_family_has_some() -> None:
    assert abs(routes("qwen2").bias) > 0.05
    assert abs(routes("stablelm").bias) > 0.05
    assert routes("llama").bias == 0


def test_of_a_model_made_by_hand_a_word_adds_its_share_of_the_text() -> None:
    case = small_case(one_layer_model(), answer="t", foil="h", correction="That is the hat.")
    text, found = case.probe.text(case.prompt), of(case)
    in_text = SIZE**0.5 / len(text) * SHARPNESS / float(state_by_hand(text).pow(2).mean().sqrt())
    for word in found.words:
        own = text[slice(*word.tokens)]
        difference = own.count(case.probe.answer_id) - own.count(case.probe.foil_id)
        assert word.contribution == pytest.approx(difference * in_text, abs=1e-5)


def test_a_family_that_cannot_be_made_linear_is_refused_in_a_sentence() -> None:
    case = small_case(tiny("mamba"))
    found = frozen_route(case.model, case.prompt, case.probe)
    assert isinstance(found, Unavailable)
    assert found.why_not[0].isupper()
    assert found.why_not.endswith(".")


def test_a_text_that_would_take_too_much_memory_is_refused_with_the_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small("llama")
    monkeypatch.setattr(module, "BUDGET_BYTES", 1000)
    found = frozen_route(case.model, case.prompt, case.probe)
    assert isinstance(found, Unavailable)
    assert "GB" in found.why_not


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2"])
def test_it_leaves_the_model_as_it_was(family: str) -> None:
    case = small(family)
    ids = torch.tensor([case.prompt.token_ids])

    def state() -> tuple[torch.Tensor, str, list[bool]]:
        with torch.no_grad():
            logits = forward(case.model.model, ids, None, case.model.way).logits
        needs = [weight.requires_grad for weight in case.model.model.parameters()]
        return logits, case.model.model.config._attn_implementation, needs

    before = state()
    frozen_route(case.model, case.prompt, case.probe)
    after = state()
    assert gap(after[0], before[0]) == 0
    assert after[1:] == before[1:]
    assert not is_replacing()
