"""Families whose layers are no plain list with one stream and one attention: found by probing, or refused plainly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.models.adapters.any_causal_lm import AnyCausalLM
from llm_tracker.models.forward.forward_pass import cache_keyword, forward, new_cache, probe_tokens
from llm_tracker.models.forward.residual_rows import hidden_state
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import NotExactError, require_exact
from sweep.tiny_configs import tiny_config
from sweep.trial import PROMPT, exactness, loaded, tiny_network

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(("family", "streams"), [("hy_v4", "hc_mult"), ("gemma3n_text", "altup_num_inputs")])
def test_several_residual_streams_are_one_row(family: str, streams: str) -> None:
    model = loaded(tiny_network(family))
    assert model.architecture.d_model == getattr(model.config, streams) * model.config.hidden_size
    assert all(model.adapter.mlp(layer) is layer.mlp for layer in model.layers)
    trace = lt.track(model, PROMPT, recipe="raw", max_new_tokens=2).turns[0].trace
    with torch.inference_mode():
        found = model.adapter.logits(model.model, torch.tensor(trace.resid[:, -1])).max(-1).values
    assert np.abs(found.numpy() - trace.top_logits[:, 0]).max() <= 1e-3


def test_a_part_behind_another_norm_in_another_kind_of_layer_is_told_apart() -> None:
    network = tiny_network("olmo_hybrid")
    found = AnyCausalLM.probed(network)
    require_exact(found, prove(network, found))
    has_norm = [found.mlp_norm(layer) is not None for layer in found.layers(network)]
    assert has_norm == [kind == "linear_attention" for kind in network.config.layer_types]


def test_layers_that_are_walked_again_and_again_are_listed_as_often_in_their_order() -> None:
    network = tiny_network("hrm_text")
    called: list[int] = []
    for module in (*network.model.L_module.layers, *network.model.H_module.layers):
        module.register_forward_pre_hook(lambda module, _args: called.append(id(module)))
    model = loaded(network)
    called.clear()
    forward(network, probe_tokens(320))
    assert [id(layer) for layer in model.layers] == called
    assert len(called) == model.config.num_hidden_layers == 32
    assert model.architecture.heads == (4,) * 32


def test_layers_that_no_text_reaches_are_left_out_and_said() -> None:
    model = loaded(tiny_network("mllama"))
    assert model.layers == [layer for index, layer in enumerate(model.model.model.layers) if index != 1]
    assert any("1 more of its layers" in notice for notice in model.notices)


def test_a_table_that_leaves_out_a_layer_that_a_text_reaches_is_refused() -> None:
    class Forgetful(lt.ModelAdapter):
        def layers(self, model: Any) -> list[Any]:
            return super().layers(model)[1:]

    with pytest.raises(NotExactError, match="layers is off by 1"):
        require_exact(Forgetful(), prove(tiny_network("llama"), Forgetful()))


@pytest.mark.parametrize("family", ["mllama", "hrm_text"])
def test_what_was_read_is_gone_on_from(family: str) -> None:
    model = loaded(tiny_network(family))
    once, again = (lt.track(model, PROMPT, recipe="raw", max_new_tokens=3).turns[0].trace for _ in range(2))
    assert len(model.kv_caches) == 1
    assert once.token_ids.tolist() == again.token_ids.tolist()
    assert np.abs(once.resid - again.resid).max() <= 1e-4


def test_layers_that_look_back_at_summaries_have_no_pattern_however_few_tokens_the_probe_has() -> None:
    config = tiny_config("deepseek_v4")
    config.compress_rates = {"compressed_sparse_attention": 128, "heavily_compressed_attention": 128}
    torch.manual_seed(0)
    model = loaded(AutoModelForCausalLM.from_config(config).float().eval())
    assert model.architecture.heads == (4, 0, 0, 4)
    assert any("2 of its 4 layers look back at summaries" in notice for notice in model.notices)
    assert not any("in a state" in notice for notice in model.notices)


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ("inkling2_text", "makes its logits of more than the rows after its last layer"),
        ("xlm", "makes its logits of more than the rows after its last layer"),
        ("reformer", "makes its logits of more than the rows after its last layer"),
        ("xlnet", "no list of layers that rows of one width walk through, one for each token"),
        ("longcat_flash", "attend 2 times each"),
    ],
)
def test_what_a_lens_or_one_pattern_a_layer_cannot_show_is_refused_plainly(family: str, said: str) -> None:
    with pytest.raises(lt.ModelError, match=said):
        AnyCausalLM.probed(tiny_network(family))


@pytest.mark.parametrize("family", ["minimax", "xlstm"])
def test_a_cache_of_the_familys_own_class_is_left_alone(family: str) -> None:
    model = loaded(tiny_network(family))
    assert cache_keyword(model.model) is None
    assert any("the whole text is read again" in notice for notice in model.notices)
    gaps, _ = exactness(model)
    assert gaps["generated tokens"] == 0
    assert gaps["logits while generating"] <= 1e-3


@pytest.mark.parametrize(("family", "told"), [("bamba", True), ("llama", False), ("roberta", False)])
def test_positions_are_told_to_a_model_that_goes_on_from_0_again_and_to_no_other(family: str, told: bool) -> None:
    config = tiny_config(family)
    config.is_decoder = True  # RoBERTa is one then, and numbers its positions in a way of its own
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(config).float().eval()
    model = loaded(network)
    assert model.proof.ok
    assert model.way.tells_positions == told


def test_going_on_behind_a_cache_counts_the_positions_on() -> None:
    model = loaded(tiny_network("bamba"))
    network = model.model
    text, cache = torch.tensor([PROMPT]), new_cache(network)
    rows: list[torch.Tensor] = []
    network.model.layers[-1].register_forward_hook(lambda _m, _a, output: rows.append(hidden_state(output)[0, -1]))
    with torch.inference_mode():
        forward(network, text)
        forward(network, text[:, :-1], cache, model.way)
        forward(network, text[:, -1:], cache, model.way)
    assert (rows[2] - rows[0]).abs().max() <= 1e-4
