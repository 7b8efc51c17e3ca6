"""A configuration of any family with a few small layers, its caps and scales on, and weights large enough to bite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from transformers import CONFIG_MAPPING, PreTrainedConfig

VOCAB_SIZE = 320
N_LAYERS = 4
D_MODEL = 32

_EQUAL: dict[int, str] = {
    D_MODEL: """
        hidden_size n_embd d_model embed_dim emb_dim embedding_size word_embed_proj_dim attention_hidden_size
        lru_width embedding_dim input_embedding_size output_embedding_size backbone_hidden_size adapter_in_dim
        adapter_input_size adapter_out_dim hidden_size_global
    """,
    48: """
        intermediate_size d_ff ffn_dim ffn_hidden_size encoder_ffn_dim decoder_ffn_dim moe_intermediate_size
        shared_expert_intermediate_size intermediate_size_mlp dense_intermediate_size
        moe_shared_expert_intermediate_size expert_ffn_hidden_size dim_ff shared_intermediate_size dff
        feed_forward_size d_inner shared_experts_intermediate_size classifier_proj_size
    """,
    N_LAYERS: """
        num_hidden_layers n_layer n_layers num_layers decoder_layers encoder_layers num_blocks num_decoder_layers
        num_encoder_layers num_attention_heads n_head n_heads num_heads decoder_attention_heads
        encoder_attention_heads num_decoder_attention_heads num_encoder_attention_heads num_experts
        num_local_experts n_routed_experts moe_num_experts mamba_n_heads mamba_num_heads linear_num_value_heads
        conv_kernel mamba_d_conv conv_kernel_size qk_rope_head_dim time_step_rank mamba_dt_rank n_mamba_heads
        rotary_dim swa_num_attention_heads linear_num_heads attention_heads max_window_layers
    """,
    2: """
        num_key_value_heads num_kv_heads num_experts_per_tok moe_top_k moe_k linear_num_key_heads
        num_experts_per_token swa_num_key_value_heads
    """,
    8: """
        head_dim qk_nope_head_dim v_head_dim state_size mamba_d_state ssm_state_size linear_key_head_dim
        linear_value_head_dim kv_channels attention_head_dim index_head_dim swa_head_dim hidden_size_per_layer_input
        d_kv dim_head query_pre_attn_scalar linear_head_dim attention_head_size laurel_rank adapter_rank hc_lowrank
        gated_norm_rank
    """,
    16: """
        q_lora_rank kv_lora_rank index_n_heads mamba_d_head mamba_head_dim chunk_size mamba_chunk_size index_topk
        o_lora_rank router_hidden_size dim_model_base
    """,
    128: """
        max_position_embeddings n_positions max_seq_len n_ctx original_max_position_embeddings rel_extent
        context_length max_target_positions
    """,
    1: """
        n_group topk_group n_groups mamba_n_groups num_expert_group n_shared_experts num_shared_experts
        moe_num_shared_experts first_k_dense_replace
    """,
    6: """
        sliding_window sliding_window_size attention_window_size window_size attention_chunk_size local_attention
    """,
    VOCAB_SIZE: """
        vocab_size vocab_size_per_layer_input unpadded_vocab_size
    """,
}
SMALL: dict[str, int] = {name: value for value, names in _EQUAL.items() for name in names.split()}
"""Sizes by the names that configurations give them."""

# A key's score in a sparse layer's index is 0 where no head matches; with few heads many are, and which of those that
# tie are chosen is left to chance: hence more `index_n_heads` than other heads.
SMALL |= {"mamba_d_ssm": 64, "encoder_hash_byte_group_vocab": 500, "ngram_vocab_size_base": 500}

BITING: dict[str, float] = {
    "initializer_range": 0.15,
    "init_std": 0.15,
    "initializer_factor": 1.0,
    "final_logit_softcapping": 5.0,
    "attn_logit_softcapping": 2.0,
    "attention_dropout": 0.0,
}
"""What makes a forgotten cap or scale show."""

UNSET = (
    "head_dim num_key_value_heads linear_num_key_heads linear_num_value_heads linear_key_head_dim linear_value_head_dim"
).split()
"""Sizes that are filled in from others where a configuration leaves them out, and not so everywhere."""

LATENT: dict[str, int] = {"num_key_value_heads": N_LAYERS, "head_dim": SMALL["qk_rope_head_dim"]}
"""Latent attention (`kv_lora_rank`): a key for each head, and the size that is rotated is the head's own."""

MIXED = ["mamba", "attention", "mamba", "attention"]
SHARED = ["mamba", "hybrid", "mamba", "hybrid"]
ROPE = {"rope_type": "default", "rope_theta": 10000.0}

INDEXER = {
    "indexer_n_heads": 16,
    "indexer_kv_heads": 1,
    "indexer_head_dim": 8,
    "indexer_budget": 8,
    "indexer_compress_ratio": 2,
}
DOTS3 = {
    "num_key_value_heads": N_LAYERS,
    "swa_num_attention_heads": N_LAYERS,
    "swa_num_key_value_heads": N_LAYERS,
    "swa_q_lora_rank": 16,
    "swa_kv_lora_rank": 16,
    "swa_head_dim": 12,
    "swa_qk_nope_head_dim": 8,
    "swa_v_head_dim": 8,
}
"""What the sliding layers of Dots 3 have instead of the sizes above."""

ZAMBA = {"attention_hidden_size": 2 * D_MODEL, "num_key_value_heads": N_LAYERS, "layers_block_type": SHARED}

OWN: dict[str, dict[str, Any]] = {
    "bamba": {"attn_layer_indices": [1, 3]},
    "cohere_compass_text": {"rope_parameters": {"full_attention": {**ROPE, "mrope_section": [2, 1, 1]}}},
    "dbrx": {"attn_config": {"rope_theta": 10000.0, "clip_qkv": 8.0}},
    "deepseek_v2": {"num_experts_per_tok": 2},
    "deepseek_v4": {
        "layer_types": [
            "sliding_attention",
            "heavily_compressed_attention",
            "compressed_sparse_attention",
            "sliding_attention",
        ],
        "compress_rates": {"compressed_sparse_attention": 4, "heavily_compressed_attention": 8},
    },
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2},
    "dots3_note": {"text_config": DOTS3},
    "dots3_note_text": DOTS3,
    "gemma3n_text": {"num_kv_shared_layers": 2, "layer_types": ["sliding_attention", "full_attention"] * 2},
    "granitemoehybrid": {"layer_types": MIXED},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1},
    "lfm2_moe": {"layer_types": ["conv", "full_attention", "conv", "full_attention"]},
    "mamba2": {"head_dim": 16},
    "mllama": {"text_config": {"cross_attention_layers": [1]}},
    # Its window is in its cache alone, and as long as its longest text: a shorter one reads otherwise with a cache.
    "moshi": {"sliding_window": 128},
    "qwen4_exp": {"text_config": INDEXER},
    "qwen4_exp_text": INDEXER,
    "reformer": {"is_decoder": True, "axial_pos_shape": [8, 16], "axial_pos_embds_dim": [8, 24]},
    "xmod": {"default_language": "en_XX"},
    "zamba": {**ZAMBA, "attention_head_dim": 16},
    "zamba2": {**ZAMBA, "mamba_headdim": 16},
    "zaya": {"num_experts_per_tok": 1},
}
"""What a family needs besides, to be built small."""


def tiny_config(model_type: str) -> PreTrainedConfig:
    """A small configuration of a family. Raises whatever its class raises."""
    return _shrunk(CONFIG_MAPPING[model_type], OWN.get(model_type, {}))


def _shrunk(config_class: type[PreTrainedConfig], own: dict[str, Any]) -> PreTrainedConfig:
    """The class' default with small sizes, and so its parts; what is `own` is taken as it is."""
    default = config_class()
    known = default.to_dict()
    changes: dict[str, Any] = {}
    for name, value in known.items():
        part = getattr(default, name, None) if isinstance(value, dict) else None
        if isinstance(part, PreTrainedConfig):
            changes[name] = _shrunk(type(part), own.get(name, {}))
        elif name in SMALL and (isinstance(value, int) or (value is None and name in UNSET)):
            changes[name] = SMALL[name]
        elif name in BITING and value is not None:
            changes[name] = BITING[name]
        elif name.endswith("_token_id") and isinstance(value, int) and value >= VOCAB_SIZE:
            changes[name] = 2
        elif isinstance(value, list) and len(value) == _n_layers(known):
            changes[name] = _few(value)
    if "kv_lora_rank" in known:
        changes |= {name: value for name, value in LATENT.items() if name in known}
    changes |= {name: value for name, value in own.items() if not isinstance(changes.get(name), PreTrainedConfig)}
    return config_class(**changes)


def _n_layers(known: dict[str, Any]) -> int:
    names = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    return next((known[name] for name in names if isinstance(known.get(name), int)), -1)


def _few(values: Iterable[Any]) -> list[Any]:
    """The first few entries of a list that has one for each layer, with each kind among them."""
    several = list(values)
    few = several[:N_LAYERS]
    missing = [value for index, value in enumerate(several) if value not in few and value not in several[:index]]
    return [*few[: N_LAYERS - len(missing)], *missing] if missing and len(missing) < N_LAYERS else few
