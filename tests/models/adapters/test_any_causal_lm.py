"""A model without a table is probed, and then passes the same proof or is refused: names play no part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import FAMILIES, SIZES, loaded, tiny_network, tiny_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.models.adapters.any_causal_lm import AnyCausalLM
from llm_tracker.models.adapters.unembedding import Ending, Tail
from llm_tracker.models.forward.attention_rows import layers_in_turn, once_each
from llm_tracker.models.loading.load import adapter_of
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import NotExactError, require_exact

WITHOUT_A_TABLE: dict[str, dict[str, Any]] = {
    "cohere": {"logit_scale": 0.0625},
    "olmo2": {},
    "phi": {},
    "mixtral": {"num_local_experts": 4},
    "mamba": {"state_size": 8},
    "bloom": {},
    "opt": {"word_embed_proj_dim": 32, "ffn_dim": 48},
    "qwen3_next": {
        "layer_types": ["linear_attention", "full_attention", "linear_attention"],
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "num_experts": 4,
        "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16,
        "num_experts_per_tok": 2,
    },
}


def network_of(family: str, **changes: Any) -> Any:
    """A random network of a family that has no table."""
    torch.manual_seed(0)
    own = {**SIZES, **WITHOUT_A_TABLE.get(family, {}), **changes}
    ends = {"bos_token_id": 1, "eos_token_id": 0, "pad_token_id": 2}
    config = AutoConfig.for_model(family, vocab_size=len(tiny_tokenizer()), **ends, **own)
    return AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_probing_finds_what_the_table_of_a_family_says(family: str) -> None:
    network = tiny_network(family)
    table, found = adapter_of(network), AnyCausalLM.probed(network)
    layers = table.layers(network)
    assert found.layers(network) == layers
    for part in ("attention", "attention_norm", "mlp", "mlp_norm"):
        assert [getattr(found, part)(layer) for layer in layers] == [getattr(table, part)(layer) for layer in layers]
    require_exact(found, prove(network, found))
    assert found.tail is not None


@pytest.mark.parametrize("family", WITHOUT_A_TABLE)
def test_a_family_without_a_table_is_read_exactly(family: str) -> None:
    network = network_of(family)
    adapter = adapter_of(network)
    proof = prove(network, adapter).proof
    assert adapter.name == "AnyCausalLM"
    assert [check for check in proof.checks if not check.ok] == []


def test_names_play_no_part() -> None:
    network = tiny_network("gemma2")
    expected = AnyCausalLM.probed(network)
    at = [id(module) for module in expected.layers(network)]
    renamed = with_nonsense_names(network)
    assert not any(word in name for name, _ in renamed.named_modules() for word in ("layer", "norm", "attn", "head"))
    found = AnyCausalLM.probed(renamed)
    assert [id(module) for module in found.layers(renamed)] == at
    require_exact(found, prove(renamed, found))


def with_nonsense_names(network: Any) -> Any:
    """The same network, its modules under other names; its own code reaches them by the old ones."""
    network.get_output_embeddings = network.get_input_embeddings = None  # what goes by names is not to be used
    for module in list(network.modules()):
        if isinstance(module, torch.nn.ModuleList):
            continue
        nonsense = {name: f"q{index}z" for index, name in enumerate(module._modules)}
        module._modules = {nonsense[name]: part for name, part in module._modules.items()}
        module.__class__ = _under_old_names(type(module), nonsense)
    return network


def _under_old_names(kind: type[torch.nn.Module], nonsense: dict[str, str]) -> type[torch.nn.Module]:
    def reached(self: torch.nn.Module, name: str) -> Any:
        return kind.__getattr__(self, nonsense.get(name, name))

    described = {"__getattr__": reached, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), described)


def test_a_broken_tail_is_refused_and_never_drawn_wrong() -> None:
    network = network_of("cohere")
    found = AnyCausalLM.probed(network)
    assert found.tail is not None
    forgetful = AnyCausalLM(found.parts, Tail(found.tail.links, Ending(found.tail.ending.vocab_size)))
    with pytest.raises(NotExactError, match="tail is off"):
        require_exact(forgetful, prove(network, forgetful))


@pytest.mark.parametrize(("family", "cap", "scale"), [("gemma2", 5.0, 1.0), ("cohere", None, 0.0625)])
def test_a_cap_or_scale_is_found_even_where_no_logit_of_the_probe_is_bent(
    family: str, cap: float | None, scale: float
) -> None:
    network = tiny_network(family) if family in FAMILIES else network_of(family)
    network.get_output_embeddings().weight.data *= 1e-4
    found = AnyCausalLM.probed(network)
    assert found.tail is not None
    assert found.tail.ending.cap == cap
    assert found.tail.ending.scale == pytest.approx(scale, rel=1e-5)


def test_an_end_that_cannot_be_taken_apart_is_read_by_the_models_own() -> None:
    network = with_normalised_logits(tiny_network("llama"))
    model = loaded(network, AnyCausalLM.probed(network))
    assert model.proof.ok
    assert any("Its end could not be taken apart" in notice for notice in model.notices)
    trace = lt.track(model, "What is it?", max_new_tokens=3).turns[0].trace
    for step, table in trace.lens.items():
        assert abs(float(table.token_prob[-1]) - float(trace.token_probs[step])) <= 1e-5


def test_the_models_own_end_reads_more_rows_than_fit_into_one_text() -> None:
    network = tiny_network("gpt2", n_positions=40)
    found = AnyCausalLM.probed(network)
    rows = torch.randn(100, network.config.n_embd, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        own, taken_apart = (found.logits(network, rows) for found in (AnyCausalLM(found.parts, None), found))
    assert (own - taken_apart).abs().max() <= 1e-4 * taken_apart.std()


def with_normalised_logits(network: Any) -> Any:
    """The network, giving the logarithms of probabilities to a power: each depends on all of the others."""
    forward = network.forward

    def normalised(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        output.logits = output.logits * output.logits.std(-1, keepdim=True)
        return output

    network.forward = normalised
    return network


def test_an_encoder_is_refused_with_the_reason() -> None:
    network = network_of("bert")
    with pytest.raises(NotExactError, match="sees the words after each position"):
        require_exact(adapter_of(network), prove(network, adapter_of(network)))


def test_a_model_of_states_only_is_traced_with_lens_and_probabilities(tmp_path: Path) -> None:
    model = loaded(network_of("mamba"))
    assert model.architecture.heads == (0, 0, 0)
    assert any("no attention to draw" in notice for notice in model.notices)
    session = lt.track(model, "What is the capital of France?", ["That is wrong."], recipe="chat", max_new_tokens=4)
    trace = session.turns[1].trace
    expected = whole_logits(model, session.turns[1])
    assert np.abs(trace.top_logits - np.take_along_axis(expected, trace.top_token_ids, 1)).max() <= 1e-3
    with pytest.raises(lt.InputError, match="no attention"):
        lt.attention_by_word(session.turns[1])
    lt.save_session(session, tmp_path / "saved")
    again = lt.load_session(tmp_path / "saved").turns[1].trace
    assert again.heads == trace.heads
    assert again.lens.keys() == trace.lens.keys()


def whole_logits(model: lt.LoadedModel, turn: lt.Turn) -> np.ndarray[Any, Any]:
    """(step, vocab) of plain transformers, which reads the whole text at once."""
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()[:-1]]
    with torch.no_grad():
        logits = model.model(torch.tensor([ids]), use_cache=False).logits[0]
    return logits[len(turn.prompt.token_ids) - 1 :].numpy()


def test_a_hybrid_has_attention_where_it_has_a_pattern_and_says_where_not() -> None:
    model = loaded(network_of("qwen3_next"))
    assert model.architecture.heads == (0, 4, 0)
    turn = lt.track(model, "What is it?", recipe="chat", max_new_tokens=3).turns[0]
    shares = lt.attention_by_word(turn)
    assert shares["share"].sum() == pytest.approx(1, abs=1e-5)
    assert shares["share"].tolist() == lt.attention_by_word(turn, layer=2)["share"].tolist()
    with pytest.raises(lt.InputError, match="no attention in layer 3"):
        lt.attention_by_word(turn, layer=3)


def test_a_learned_sink_is_parked_and_makes_the_whole_100_percent(tmp_path: Path) -> None:
    network = tiny_network("gpt_oss")
    for layer in network.model.layers:
        layer.self_attn.sinks.data += 2
    model = loaded(network)
    assert model.architecture.has_sinks
    turn = lt.track(model, "What is it?", recipe="chat", max_new_tokens=2).turns[0]
    shares = lt.attention_by_word(turn)
    sink = shares[shares["role"] == "sink"]
    assert float(sink["share"].sum()) > 0.05
    assert set(sink["group"]) == {"parked"}
    assert shares["share"].sum() == pytest.approx(1, abs=1e-6)
    session = lt.track(model, "What is it?", recipe="chat", max_new_tokens=2)
    lt.save_session(session, tmp_path / "saved")
    assert lt.load_session(tmp_path / "saved").turns[0].trace.has_sinks


def test_rows_that_fall_short_of_1_without_a_sink_are_refused() -> None:
    network = tiny_network("llama")
    network.set_attn_implementation("eager")
    forward = network.model.layers[1].self_attn.forward

    def lossy(*args: Any, **kwargs: Any) -> Any:
        output, pattern = forward(*args, **kwargs)
        return output, None if pattern is None else pattern * 0.9

    network.model.layers[1].self_attn.forward = lossy
    failed = {check.name for check in prove(network, lt.ModelAdapter()).proof.checks if not check.ok}
    assert "row sums" in failed


def test_an_attention_module_that_layers_share_works_for_each_of_them_in_turn() -> None:
    shared, own = torch.nn.Identity(), torch.nn.Identity()
    modules = [shared, None, own, shared]
    assert once_each(modules) == [shared, own]
    layer_of = layers_in_turn(modules)
    assert [next(layer_of[id(shared)]) for _ in range(4)] == [0, 3, 0, 3]
    assert [next(layer_of[id(own)]) for _ in range(2)] == [2, 2]
