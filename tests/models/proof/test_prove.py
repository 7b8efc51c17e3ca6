"""The proof holds for every family that has an adapter, and fails for an adapter that forgets something."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_models import FAMILIES, SIZES, loaded, tiny_network
from transformers import AutoConfig, AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.models.forward import attention_rows
from llm_tracker.models.kernels import matrix_products as kernels
from llm_tracker.models.plugins.manager import installed_plugins
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import NotExactError, require_exact
from llm_tracker.models.proof.runs import eager_run


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_read_exactly(family: str) -> None:
    proof = loaded(tiny_network(family)).proof
    assert [check for check in proof.checks if not check.ok] == []
    assert proof.tail_gap <= 1e-5
    assert proof.pattern_gap <= 1e-4
    assert not any("left out" in check.note for check in proof.checks)


def test_every_claimed_model_type_has_a_tiny_model_here() -> None:
    assert set(installed_plugins().adapters) == set(FAMILIES)


@pytest.mark.parametrize("family", ["gemma2", "gemma3_text", "granite"])
def test_a_forgotten_tail_is_refused(family: str) -> None:
    class Forgetful(lt.ModelAdapter):
        mlp_norm_path = "post_attention_layernorm" if family == "granite" else "pre_feedforward_layernorm"

    network = tiny_network(family)
    with pytest.raises(NotExactError, match=r"tail is off by .* Override unembed"):
        require_exact(Forgetful(), prove(network, Forgetful()))


def test_the_logits_of_the_tiny_models_are_spread_enough_for_a_cap_to_bite() -> None:
    for family in FAMILIES:
        with torch.no_grad():
            spread = tiny_network(family)(torch.arange(3, 30)[None]).logits.std().item()
        assert spread >= 3, family


def test_a_final_norm_applied_twice_is_refused() -> None:
    class Twice(lt.ModelAdapter):
        def final_norm(self, model: Any, resid: torch.Tensor) -> torch.Tensor:
            return super().final_norm(model, super().final_norm(model, resid * 3) * torch.arange(32).float())

    with pytest.raises(NotExactError, match="tail"):
        require_exact(Twice(), prove(tiny_network("llama"), Twice()))


def test_a_norm_that_does_not_feed_the_attention_is_refused() -> None:
    class Swapped(lt.ModelAdapter):
        attention_norm_path = "post_attention_layernorm"

    with pytest.raises(NotExactError, match="norms is off"):
        require_exact(Swapped(), prove(tiny_network("llama"), Swapped()))


def test_a_norm_that_the_adapter_leaves_out_is_named_beside_the_check() -> None:
    class Careless(lt.ModelAdapter):
        attention_norm_path = ""

    notes = {check.name: check.note for check in prove(tiny_network("llama"), Careless()).proof.checks}
    assert notes["norms"].endswith("; left out: input_layernorm")
    whole = prove(tiny_network("llama"), lt.ModelAdapter()).proof
    assert not any("left out" in check.note for check in whole.checks)


def test_what_hands_the_rows_on_as_they_are_is_no_norm_that_was_left_out() -> None:
    network = tiny_network("llama")
    for layer in network.model.layers:
        layer.input_layernorm = torch.nn.Dropout()
    network.eval()

    class Normless(lt.ModelAdapter):
        attention_norm_path = ""

    assert not any("left out" in check.note for check in prove(network, Normless()).proof.checks)


def test_both_numbers_of_patterns_are_told() -> None:
    class Beside(lt.ModelAdapter):
        def attention(self, layer: Any) -> Any:
            return layer.self_attn if layer.self_attn.layer_idx else None

    check = next(check for check in prove(tiny_network("llama"), Beside()).proof.checks if check.name == "patterns")
    assert (check.ok, check.gap) == (False, 1)
    assert check.note == "2 patterns of 2 attention modules; transformers hands out 3"


def test_where_transformers_hands_out_no_patterns_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "llm_tracker.models.proof.prove.eager_run", lambda *args: replace(eager_run(*args), n_own_patterns=None)
    )
    check = next(
        check for check in prove(tiny_network("llama"), lt.ModelAdapter()).proof.checks if check.name == "patterns"
    )
    assert check.ok
    assert check.note == "3 patterns of 3 attention modules; transformers hands out none to compare with"


@pytest.mark.parametrize("path", ["", "model.decoder.final_layer_norm"])
def test_a_model_without_a_final_norm_is_read_by_the_empty_path_and_by_one_that_leads_to_none(path: str) -> None:
    class PostNorm(lt.ModelAdapter):
        layers_path = "model.decoder.layers"
        attention_norm_path = mlp_path = mlp_norm_path = ""
        final_norm_path = path

    config = AutoConfig.for_model("opt", **{**SIZES, "init_std": 0.3}, ffn_dim=48, do_layer_norm_before=False)
    network = AutoModelForCausalLM.from_config(config).eval()
    assert [check.name for check in prove(network, PostNorm()).proof.checks if not check.ok] == []


def test_a_path_that_leads_nowhere_says_what_is_there_instead() -> None:
    class Lost(lt.ModelAdapter):
        layers_path = "transformer.h"

    with pytest.raises(lt.ModelError, match=r"no “transformer” \(it has model, lm_head\)"):
        prove(tiny_network("llama"), Lost())


def test_a_model_that_looks_ahead_is_refused() -> None:
    network = tiny_network("llama")
    forward = network.model.layers[0].self_attn.forward

    def looking_ahead(*args: Any, **kwargs: Any) -> Any:
        kwargs["attention_mask"] = None
        return forward(*args, **kwargs)

    network.model.layers[0].self_attn.forward = looking_ahead
    failed = {check.name for check in prove(network, lt.ModelAdapter()).proof.checks if not check.ok}
    assert "nothing ahead" in failed


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma3_text", "granite"])
def test_a_bfloat16_model_is_proved_on_float32_copies_of_its_attention(family: str) -> None:
    proof = loaded(tiny_network(family).bfloat16()).proof
    assert proof.ok, proof
    assert proof.tail_gap <= 1e-2
    assert proof.pattern_gap <= 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_rows_that_are_off_only_while_generating_are_refused(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the cache were read from its end: the output stays right, so that no logit tells."""
    last_row, weighed = attention_rows.last_row, attention_rows.weighed

    def reversed_row(query: torch.Tensor, *rest: Any) -> torch.Tensor:
        row = last_row(query, *rest)
        return row.flip(-1) if query.shape[2] == 1 else row

    monkeypatch.setattr(attention_rows, "last_row", reversed_row)
    monkeypatch.setattr(attention_rows, "weighed", lambda row, *rest: weighed(row.flip(-1), *rest))
    failed = {
        check.name for check in prove(tiny_network("llama").to(dtype), lt.ModelAdapter()).proof.checks if not check.ok
    }
    expected = {"live attention rows"} if dtype == torch.float32 else {"first live row", "all live rows"}
    assert failed == expected


def test_soft_capped_attention_runs_put_on_eager_and_says_so() -> None:
    model = loaded(tiny_network("gemma2"))
    assert model.way.attention == "eager"
    assert any("eager" in notice for notice in model.notices)


def test_a_sliding_window_is_said_out_loud() -> None:
    assert any("6 tokens" in notice for notice in loaded(tiny_network("mistral")).notices)
    assert loaded(tiny_network("mistral", sliding_window=None)).notices == ()


def test_check_returns_the_record_of_the_contract() -> None:
    record = lt.check(loaded(tiny_network("llama")))
    assert record["ok"] is True
    assert {"model_type", "adapter", "n_layers", "tail_gap", "pattern_gap"} <= record.keys()
    assert set(record["checks"][0]) == {"name", "ok", "gap", "bound", "note"}


def test_parts_are_reached_by_the_same_names_in_every_family() -> None:
    for family in FAMILIES:
        model = loaded(tiny_network(family))
        layer = model.layers[0]
        reached = [model.adapter.attention(layer), model.adapter.attention_norm(layer)]
        reached += [model.adapter.mlp(layer), model.adapter.mlp_norm(layer)]
        assert all(isinstance(module, torch.nn.Module) for module in reached), family


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_live_row_that_is_off_is_refused_in_every_number_format(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = attention_rows.last_row
    monkeypatch.setattr(attention_rows, "last_row", lambda q, k, mask, scale: exact(q, k, mask, scale * 1.01))
    failed = {
        check.name for check in prove(tiny_network("llama").to(dtype), lt.ModelAdapter()).proof.checks if not check.ok
    }
    assert "live attention rows" in failed  # and the logits, which are made of the same rows


@pytest.mark.parametrize("factor", [1.001, float("nan")])
def test_a_chosen_kernel_that_is_off_is_refused(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def off(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        return kernels.plain(rows, weight, bias) * factor

    network = tiny_network("llama")
    monkeypatch.setattr(kernels, "_fastest", lambda *_: off)
    kernels.choose_kernels(network)
    failed = [check for check in prove(network, lt.ModelAdapter()).proof.checks if not check.ok]
    assert "kernels" in {check.name for check in failed}
