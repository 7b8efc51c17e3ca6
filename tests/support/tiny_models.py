"""Tiny random models of every family that has an adapter, with caps and scales on and weights large enough to bite."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

import llm_tracker as lt
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.loading.load import adapter_of
from llm_tracker.models.proof.prove import prove

CHAT_TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
SPECIAL = ["<|end|>", "<|start|>", "<pad>"]

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 2048,
    "initializer_range": 0.3,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {},
    "qwen3": {},
    "smollm3": {"pad_token_id": 2},
    "gemma": {},
    "mistral": {"sliding_window": 6},
    "ministral": {"sliding_window": 6},
    "gemma2": {"final_logit_softcapping": 5.0, "attn_logit_softcapping": 2.0, "sliding_window": 6},
    "gemma3_text": {"final_logit_softcapping": 5.0, "sliding_window": 6},
    "gpt2": {},
    "gpt_bigcode": {"multi_query": False},
    "gpt_neox": {},
    "gpt_oss": {"sliding_window": 6, "num_local_experts": 4, "num_experts_per_tok": 2},
    "granite": {"logits_scaling": 8.0, "attention_multiplier": 0.25, "residual_multiplier": 0.5},
}
KINDS = ("llama", "gemma2", "gpt2", "gpt_neox", "gpt_oss", "granite")
"""One of each: grouped heads; windows, soft caps and the patterns of eager attention; learned positions; parallel
blocks; experts and learned sinks; scales. What lies behind the adapters is tried on these, and soaked on all."""


@cache
def tiny_tokenizer(chat: bool = True) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer with a few merges and three control tokens."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(["What is the capital of France? Paris. That is wrong."] * 4, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|end|>", bos_token="<|start|>", pad_token="<pad>"
    )
    tokenizer.chat_template = CHAT_TEMPLATE if chat else None
    return tokenizer


def tiny_network(family: str, logit_spread: float = 6.0, **changes: Any) -> Any:
    """A random network of a family whose logits have at least this standard deviation where nothing caps them."""
    torch.manual_seed(0)
    ids = {"vocab_size": len(tiny_tokenizer()), "bos_token_id": 1, "eos_token_id": 0}
    config = AutoConfig.for_model(family, **{**ids, **SIZES, **FAMILIES.get(family, {}), **changes})
    network = AutoModelForCausalLM.from_config(config).eval()
    ids = torch.randint(3, config.vocab_size, (1, 16))
    with torch.no_grad():
        spread = network(ids).logits.std().item()
        head = network.get_output_embeddings()
        head.weight = torch.nn.Parameter(head.weight.clone() * logit_spread / spread)
    return network


def loaded(network: Any, adapter: lt.ModelAdapter | None = None, chat: bool = True) -> lt.LoadedModel:
    """A network as the app would have loaded it."""
    entry = ModelEntry("tiny", "tiny", "directory", "nowhere")
    adapter = adapter or adapter_of(network)
    return lt.LoadedModel(entry, None, None, network, tiny_tokenizer(chat), adapter, *prove(network, adapter))


def tiny_model(family: str, **changes: Any) -> lt.LoadedModel:
    """A random model of a family, loaded."""
    return loaded(tiny_network(family, **changes))
