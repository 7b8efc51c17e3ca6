"""GPT-2: learned positions, fused query, key and value, and names of its own."""

from llm_tracker import ModelAdapter, hookimpl


class GPT2Adapter(ModelAdapter):
    """Pre-norm layers with LayerNorm; one projection makes query, key and value."""

    model_types = ("gpt2", "gpt_bigcode")
    layers_path = "transformer.h"
    attention_path = "attn"
    q_path = k_path = v_path = "c_attn"
    o_path = "c_proj"
    attention_norm_path = "ln_1"
    mlp_norm_path = "ln_2"
    final_norm_path = "transformer.ln_f"


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """One table for GPT-2 and the code models that kept its names."""
    return [GPT2Adapter()]
