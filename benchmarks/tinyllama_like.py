"""Random checkpoints whose files are of the same kinds as those of TinyLlama-1.1B-Chat: a tiny one, and its own shape.

`python -m benchmarks.tinyllama_like DIR` writes the large one (2.2 GB): its speed and memory are TinyLlama's, its
answers are noise.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from llm_tracker.models.sources.quiet_load import quiet_load
from llm_tracker.places import app_dir
from llm_tracker.prompts.recipes import ONE_WORD

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


TINY: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,
}
TINYLLAMA_SHAPE: dict[str, Any] = {
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "num_hidden_layers": 22,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
}
TINYLLAMA_VOCABULARY = 32_000


def write_tinyllama_like(directory: Path, shape: dict[str, Any] = TINY, vocab_size: int = 0) -> Path:
    """Write config, bfloat16 safetensors, tokenizer and chat template, and return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(vocab_size)
    tokenizer.save(str(directory / "tokenizer.json"))
    _write_json(directory / "tokenizer_config.json", _tokenizer_config())
    _write_json(directory / "special_tokens_map.json", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})
    with quiet_load():
        _network(tokenizer.get_vocab_size(), shape).save_pretrained(directory)
    return directory


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _network(vocab_size: int, shape: dict[str, Any]) -> LlamaForCausalLM:
    """Random bfloat16 weights, with the head scaled up: over flat logits a wrong reading would look right."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocab_size,
        max_position_embeddings=2048,
        rms_norm_eps=1e-5,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
        dtype="bfloat16",
        **shape,
    )
    network = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        spread = network(torch.arange(3, 35)[None]).logits.float().std().item()
        network.lm_head.weight *= max(1.0, LEAST_LOGIT_SPREAD / spread)
    return network


def _tokenizer(vocab_size: int) -> Tokenizer:
    """A byte-fallback tokenizer. Up to `vocab_size` it has the words of the project's own English, and idle pieces."""
    merges = _merges(_own_words() if vocab_size else WORDS)
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(33, 127))]
    pieces += [left + right for left, right in merges]
    pieces += [f"▁piece{number}" for number in range(len(pieces), vocab_size)]
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


def _merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Each word grown from its left, a merge a letter; words that begin alike share their first merges."""
    grown = ((word[:end], word[end]) for word in words for end in range(1, len(word)))
    return list(dict.fromkeys(grown))


def _own_words() -> list[str]:
    """The words of the README and of the worked examples, so that texts have about as many tokens as TinyLlama's."""
    texts = [(app_dir() / "README.md").read_text(encoding="utf-8"), *(message.content for message in ONE_WORD)]
    words = dict.fromkeys(re.findall(r"[A-Za-z]+", " ".join(texts)))
    return ["user", "system", "assistant", *(f"▁{word}" for word in words)]


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


if __name__ == "__main__":
    print(write_tinyllama_like(Path(sys.argv[1]), TINYLLAMA_SHAPE, TINYLLAMA_VOCABULARY))
