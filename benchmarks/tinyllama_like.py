"""A tiny random checkpoint whose files are of the same kinds as those of TinyLlama-1.1B-Chat."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, processors
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from llm_tracker.models.progress import silence_bars

LEAST_LOGIT_SPREAD = 6.0
SPECIAL = ["<unk>", "<s>", "</s>"]
WORDS = ["▁the", "▁of", "▁is", "▁What", "▁capital", "▁France", "▁Paris", "▁London"]

CHAT_TEMPLATE = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""


def write_tinyllama_like(directory: Path) -> Path:
    """Write config, bfloat16 safetensors, tokenizer and chat template, and return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(directory / "tokenizer.json"))
    _write_json(directory / "tokenizer_config.json", _tokenizer_config())
    _write_json(directory / "special_tokens_map.json", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})
    silence_bars()
    _network(tokenizer.get_vocab_size()).bfloat16().save_pretrained(directory)
    return directory


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _network(vocab_size: int) -> LlamaForCausalLM:
    """Random weights, with the head scaled up: over flat logits a wrong reading would look right."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.3,
        rms_norm_eps=1e-5,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
    )
    network = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        spread = network(torch.arange(3, 35)[None]).logits.std().item()
        network.lm_head.weight *= max(1.0, LEAST_LOGIT_SPREAD / spread)
    return network


def _tokenizer() -> Tokenizer:
    merges = _merges()
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(33, 127))]
    pieces += [left + right for left, right in merges]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def _merges() -> list[tuple[str, str]]:
    """Each word grown from its left, a merge a letter; words that begin alike share their first merges."""
    grown = ((word[:end], word[end]) for word in WORDS for end in range(1, len(word)))
    return list(dict.fromkeys(grown))


def _tokenizer_config() -> dict[str, Any]:
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": "<s>",
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "</s>",
        "legacy": False,
        "model_max_length": 2048,
        "pad_token": "</s>",
        "padding_side": "right",
        "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>",
        "use_default_system_prompt": False,
    }


@cache
def tinyllama_like_tokenizer() -> PreTrainedTokenizerBase:
    """That checkpoint's tokenizer, loaded as the app loads it."""
    with tempfile.TemporaryDirectory() as directory:
        return AutoTokenizer.from_pretrained(write_tinyllama_like(Path(directory)))
