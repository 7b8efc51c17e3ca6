"""A model's architecture is what its adapter sees: counts, the class of every part, and what is done to the logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tiny_models import tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models.proof.architecture import N_ROWS, class_name
from llm_tracker.models.proof.prove import prove
from sweep import trial


def test_the_counts_and_widths_are_the_models_own(tiny_llama: lt.LoadedModel) -> None:
    architecture = tiny_llama.architecture
    assert (architecture.n_layers, architecture.n_heads, architecture.n_kv_heads, architecture.d_head) == (
        3,
        4,
        (2,),
        (8,),
    )
    assert (architecture.d_model, architecture.vocab_size, architecture.context_length) == (
        32,
        tiny_llama.config.vocab_size,
        2048,
    )
    assert architecture.n_parameters == sum(each.numel() for each in tiny_llama.model.parameters())
    assert (architecture.model_type, architecture.n_attention_layers) == ("llama", 3)


def test_every_part_has_the_class_of_the_models_own_code(tiny_llama: lt.LoadedModel) -> None:
    (kind,) = tiny_llama.architecture.kinds
    assert kind.layers == (1, 2, 3)
    assert (kind.attention_norm, kind.attention) == ("LlamaRMSNorm", "LlamaAttention")
    assert (kind.mlp_norm, kind.mlp) == ("LlamaRMSNorm", "LlamaMLP")
    architecture = tiny_llama.architecture
    assert (architecture.final_norm, architecture.unembed, architecture.tail) == (("LlamaRMSNorm",), ("Linear",), ())


def test_a_kernel_that_multiplies_here_does_not_hide_a_class() -> None:
    class Measured(torch.nn.Linear):
        __module__ = "llm_tracker.models.kernels.matrix_products"

    assert class_name(Measured(2, 2)) == "Linear"


@pytest.mark.parametrize(
    ("family", "tail"),
    [
        ("gemma2", ("a soft cap: cap · tanh(logits / cap), cap = 5",)),
        ("granite", ("divided by 8",)),
        ("mistral", ()),
    ],
)
def test_what_is_done_to_the_logits_is_said(family: str, tail: tuple[str, ...]) -> None:
    assert tiny_model(family).architecture.tail == tail


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda logits: logits * 3, ("multiplied by 3",)),
        (lambda logits: logits / 7, ("divided by 7",)),
        (lambda logits: logits + torch.linspace(0, 1, logits.shape[-1]), ("a number for each token is added",)),
        (lambda logits: logits.relu(), ("changed in a way that is no scale, soft cap or bias",)),
    ],
)
def test_what_is_done_to_the_logits_is_measured_and_not_read_from_names(
    change: Callable[[torch.Tensor], torch.Tensor], told: tuple[str, ...]
) -> None:
    class Changed(lt.ModelAdapter):
        def unembed(self, model: Any, normed: torch.Tensor) -> torch.Tensor:
            return change(super().unembed(model, normed))

    assert prove(tiny_network("llama"), Changed()).architecture.tail == told


def test_a_tail_that_cannot_be_measured_costs_no_answer() -> None:
    class Ambiguous(lt.ModelAdapter):
        def unembed(self, model: Any, normed: torch.Tensor) -> torch.Tensor:
            if len(normed) == N_ROWS:
                raise AttributeError("ambiguous")
            return super().unembed(model, normed)

    examination = prove(tiny_network("llama"), Ambiguous())
    assert examination.proof.ok
    assert examination.architecture.tail == ("could not be measured (AttributeError: ambiguous)",)


def test_of_a_family_that_was_probed_nothing_is_said_where_nothing_is_done() -> None:
    assert trial.loaded(trial.tiny_network("stablelm")).architecture.tail == ()


def test_a_step_that_is_named_and_not_done_is_not_said() -> None:
    assert tiny_model("llama", logit_scale=0.5).architecture.tail == ()


@pytest.mark.parametrize(("family", "n_kv_heads", "d_head"), [("falcon", (1,), (8,)), ("gemma4_text", (2,), (8, 512))])
def test_heads_of_keys_and_their_widths_are_counted_where_the_model_keeps_them(
    family: str, n_kv_heads: tuple[int, ...], d_head: tuple[int, ...]
) -> None:
    architecture = trial.loaded(trial.tiny_network(family)).architecture
    assert (architecture.n_kv_heads, architecture.d_head) == (n_kv_heads, d_head)


def test_layers_of_two_kinds_are_told_apart() -> None:
    types = ["sliding_attention", "full_attention", "sliding_attention"]
    kinds = tiny_model("gemma3_text", layer_types=types).architecture.kinds
    assert [(kind.kind, kind.layers) for kind in kinds] == [("sliding_attention", (1, 3)), ("full_attention", (2,))]


def test_a_layer_without_attention_or_a_part_is_no_failure() -> None:
    class Sparse(lt.ModelAdapter):
        def attention(self, layer: Any) -> Any:
            return None if layer.self_attn.layer_idx == 1 else super().attention(layer)

        def mlp_norm(self, layer: Any) -> Any:
            return None

    architecture = prove(tiny_network("llama"), Sparse()).architecture
    assert architecture.n_attention_layers == 2
    assert [(kind.layers, kind.attention) for kind in architecture.kinds] == [((1, 3), "LlamaAttention"), ((2,), None)]
    assert {kind.mlp_norm for kind in architecture.kinds} == {None}


def test_measuring_an_architecture_leaves_nothing_behind(tiny_llama: lt.LoadedModel) -> None:
    before = [len(module._forward_hooks) for module in tiny_llama.model.modules()]
    prove(tiny_llama.model, tiny_llama.adapter)
    assert [len(module._forward_hooks) for module in tiny_llama.model.modules()] == before
