"""GPT-NeoX (Pythia): attention and feed-forward side by side in each layer."""

from llm_tracker import ModelAdapter, hookimpl


class GPTNeoXAdapter(ModelAdapter):
    """Both norms read the layer's own input where the two run in parallel; each feeds its part all the same."""

    model_types = ("gpt_neox",)
    layers_path = "gpt_neox.layers"
    attention_path = "attention"
    q_path = k_path = v_path = "query_key_value"
    o_path = "dense"
    final_norm_path = "gpt_neox.final_layer_norm"


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """GPT-NeoX's own table."""
    return [GPTNeoXAdapter()]
