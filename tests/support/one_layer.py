"""A model made by hand, whose every number is known: one layer of one head that looks at all tokens alike.

Embeddings and output matrix are one-hot, values go through as they are, the feed-forward part adds next to nothing, to
a token that is never read. So the attention that a token gets is its share of the text, and that is what it adds to its
own logit.
"""

from __future__ import annotations

import torch
from tiny_models import loaded, tiny_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

import llm_tracker as lt

SIZE = len(tiny_tokenizer()) + 2 + len(tiny_tokenizer()) % 2
SHARPNESS = 3.0
"""What the output matrix multiplies by."""


def one_layer_model() -> lt.LoadedModel:
    """The model, its attention the same for all tokens up to the own one."""
    config = LlamaConfig(
        vocab_size=SIZE,
        hidden_size=SIZE,
        intermediate_size=4,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=SIZE,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=0,
        rms_norm_eps=1e-12,
    )
    network = LlamaForCausalLM(config).eval()
    layer = network.model.layers[0]
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        for norm in (layer.input_layernorm, layer.post_attention_layernorm, network.model.norm):
            norm.weight.fill_(1.0)
        for matrix in (network.model.embed_tokens, layer.self_attn.v_proj, layer.self_attn.o_proj):
            matrix.weight.copy_(torch.eye(SIZE))
        layer.mlp.gate_proj.weight.normal_(std=0.1, generator=torch.Generator().manual_seed(0))
        layer.mlp.up_proj.weight.normal_(std=0.1, generator=torch.Generator().manual_seed(1))
        layer.mlp.down_proj.weight[-1] = 1e-3
        network.lm_head.weight.copy_(SHARPNESS * torch.eye(SIZE))
    return loaded(network)


def state_by_hand(token_ids: tuple[int, ...], hidden: tuple[int, ...] = ()) -> torch.Tensor:
    """The residual stream (size) behind a text: the last token, and the shares of all that it sees."""
    state = torch.zeros(SIZE, dtype=torch.float64)
    state[token_ids[-1]] += 1
    seen = [each for at, each in enumerate(token_ids) if at not in hidden]
    for each in seen:
        state[each] += SIZE**0.5 / len(seen)  # the first norm takes a one-hot row to the root of the size
    return state


def logits_by_hand(token_ids: tuple[int, ...], hidden: tuple[int, ...] = ()) -> torch.Tensor:
    """(size)."""
    state = state_by_hand(token_ids, hidden)
    return SHARPNESS * state / state.pow(2).mean().sqrt()
