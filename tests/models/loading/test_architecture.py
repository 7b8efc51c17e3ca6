"""A model's shape is what its adapter sees: counts, the class of every part, and what is done to the logits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models.loading.architecture import class_name, shape_of
from sweep import trial


def test_the_counts_and_widths_are_the_models_own(tiny_llama: lt.LoadedModel) -> None:
    shape = shape_of(tiny_llama)
    assert (shape.n_layers, shape.n_heads, shape.n_kv_heads, shape.d_head) == (3, 4, (2,), (8,))
    assert (shape.d_model, shape.vocab_size, shape.context_length) == (32, tiny_llama.config.vocab_size, 2048)
    assert shape.n_parameters == sum(each.numel() for each in tiny_llama.model.parameters())
    assert (shape.weights_bytes, shape.dtype, shape.device) == (tiny_llama.weights_bytes, "float32", "cpu")
    assert (shape.model_type, shape.adapter, shape.n_attention_layers) == ("llama", "LlamaAdapter", 3)


def test_every_part_has_the_class_of_the_models_own_code(tiny_llama: lt.LoadedModel) -> None:
    (kind,) = shape_of(tiny_llama).kinds
    assert kind.layers == (1, 2, 3)
    assert (kind.attention_norm, kind.attention) == ("LlamaRMSNorm", "LlamaAttention")
    assert (kind.mlp_norm, kind.mlp) == ("LlamaRMSNorm", "LlamaMLP")
    shape = shape_of(tiny_llama)
    assert (shape.final_norm, shape.unembed, shape.tail) == (("LlamaRMSNorm",), ("Linear",), ())


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
    assert shape_of(tiny_model(family)).tail == tail


def test_a_step_that_the_configuration_does_not_name_is_said_too() -> None:
    class Scaled(lt.ModelAdapter):
        def unembed(self, model: Any, normed: torch.Tensor) -> torch.Tensor:
            return super().unembed(model, normed) * 3  # type: ignore[no-any-return]

    model = tiny_model("llama")
    object.__setattr__(model, "adapter", Scaled())
    assert shape_of(model).tail == ("changed by a step that the configuration does not name",)


def test_of_a_family_that_was_probed_nothing_is_said_where_nothing_is_done() -> None:
    assert shape_of(trial.loaded(trial.tiny_network("stablelm"))).tail == ()


def test_a_step_that_is_named_and_not_done_is_not_said() -> None:
    assert shape_of(tiny_model("llama", logit_scale=0.5)).tail == ()


@pytest.mark.parametrize(("family", "n_kv_heads", "d_head"), [("falcon", (1,), (8,)), ("gemma4_text", (2,), (8, 512))])
def test_heads_of_keys_and_their_widths_are_counted_where_the_model_keeps_them(
    family: str, n_kv_heads: tuple[int, ...], d_head: tuple[int, ...]
) -> None:
    shape = shape_of(trial.loaded(trial.tiny_network(family)))
    assert (shape.n_kv_heads, shape.d_head) == (n_kv_heads, d_head)


def test_layers_of_two_kinds_are_told_apart() -> None:
    types = ["sliding_attention", "full_attention", "sliding_attention"]
    kinds = shape_of(tiny_model("gemma3_text", layer_types=types)).kinds
    assert [(kind.kind, kind.layers) for kind in kinds] == [("sliding_attention", (1, 3)), ("full_attention", (2,))]


def test_a_layer_without_attention_or_a_part_is_no_failure() -> None:
    class Sparse(lt.ModelAdapter):
        def attention(self, layer: Any) -> Any:
            return None if layer.self_attn.layer_idx == 1 else super().attention(layer)

        def mlp_norm(self, layer: Any) -> Any:
            raise lt.ModelError("This family has none.")

    model = loaded(tiny_network("llama"))
    object.__setattr__(model, "adapter", Sparse())
    shape = shape_of(model)
    assert shape.n_attention_layers == 2
    assert [(kind.layers, kind.attention) for kind in shape.kinds] == [((1, 3), "LlamaAttention"), ((2,), None)]
    assert {kind.mlp_norm for kind in shape.kinds} == {None}


def test_reading_a_shape_leaves_nothing_behind(tiny_llama: lt.LoadedModel) -> None:
    before = [len(module._forward_hooks) for module in tiny_llama.model.modules()]
    shape_of(tiny_llama)
    assert [len(module._forward_hooks) for module in tiny_llama.model.modules()] == before
