"""OLMo 2 for LLM Inference Tracker: an adapter, and a tiny model with random weights to try it on."""

from llm_tracker import ModelAdapter, ModelEntry, hookimpl

RANDOM = ModelEntry("olmo2-random", "Tiny OLMo 2 with random weights", "plug-in", "", note="Its answers are noise.")


class Olmo2Adapter(ModelAdapter):
    """OLMo 2 norms after attention and feed-forward, not before: both read the residual stream as it is."""

    model_types = ("olmo2",)
    attention_norm_path = mlp_norm_path = ""


@hookimpl
def register_adapters():
    return [Olmo2Adapter()]


@hookimpl
def register_models():
    return [RANDOM]


@hookimpl
def load_model(entry, device, dtype):
    if entry != RANDOM:
        return None  # every other model is loaded as it would be without this plug-in
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import Olmo2Config, Olmo2ForCausalLM, PreTrainedTokenizerFast

    every_byte = ["<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    backend = Tokenizer(models.BPE({token: token_id for token_id, token in enumerate(every_byte)}, []))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    torch.manual_seed(0)  # the same noise every time
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4}
    config = Olmo2Config(vocab_size=257, max_position_embeddings=8192, initializer_range=0.3, eos_token_id=0, **sizes)
    model = Olmo2ForCausalLM(config).to("cpu" if device == "auto" else device, getattr(torch, dtype, torch.float32))
    return model, PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>")
