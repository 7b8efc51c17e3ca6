"""`python -m sweep.shapes`: the catalogue's models in their own shape, on random weights.

Each has its real widths, heads, vocabulary and rotary settings, and is cut to its first few layers: one whole period of
what its layers differ in. It is proved as any model is when it loads.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from llm_tracker.models.catalogue import CATALOGUE, ModelEntry
from llm_tracker.models.loading.load import adapter_of
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.sources.model_size import weigh
from llm_tracker.wording.models import parameters

PAGE = Path(__file__).resolve().parent.parent / "docs" / "catalogue.md"

Shape = dict[str, Any]


def _llama(d_model: int, d_mlp: int, layers: int, heads: tuple[int, int], vocabulary: int, **more: Any) -> Shape:
    return {
        "hidden_size": d_model,
        "intermediate_size": d_mlp,
        "num_hidden_layers": layers,
        "num_attention_heads": heads[0],
        "num_key_value_heads": heads[1],
        "vocab_size": vocabulary,
        **more,
    }


def _rope(theta: float, **more: Any) -> Shape:
    return {"rope_type": "default", "rope_theta": theta, **more}


LLAMA3_ROPE = _rope(
    500_000.0,
    rope_type="llama3",
    factor=32.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=8192,
)
YARN = _rope(
    150_000.0, rope_type="yarn", factor=32.0, beta_fast=32.0, beta_slow=1.0, original_max_position_embeddings=4096
)
TIED, QWEN = {"tie_word_embeddings": True}, {"tie_word_embeddings": True, "head_dim": 128}
EXPERTS = {"num_local_experts": 32, "num_experts_per_tok": 4}
GEMMA = {"tie_word_embeddings": True, "head_dim": 256, "sliding_window": 512, "query_pre_attn_scalar": 256}

SHAPES: dict[str, tuple[str, Shape]] = {
    "tinyllama": ("llama", _llama(2048, 5632, 22, (32, 4), 32_000, max_position_embeddings=2048)),
    "smollm2": ("llama", _llama(576, 1536, 30, (9, 3), 49_152, rope_parameters=_rope(100_000.0), **TIED)),
    "smollm2-360m": ("llama", _llama(960, 2560, 32, (15, 5), 49_152, rope_parameters=_rope(100_000.0), **TIED)),
    "smollm2-1.7b": ("llama", _llama(2048, 8192, 24, (32, 32), 49_152, rope_parameters=_rope(130_000.0), **TIED)),
    "smollm3": ("smollm3", _llama(2048, 11_008, 36, (16, 4), 128_256, rope_parameters=_rope(5_000_000.0), **TIED)),
    "qwen3-0.6b": ("qwen3", _llama(1024, 3072, 28, (16, 8), 151_936, rope_parameters=_rope(1_000_000.0), **QWEN)),
    "qwen3-1.7b": ("qwen3", _llama(2048, 6144, 28, (16, 8), 151_936, rope_parameters=_rope(1_000_000.0), **QWEN)),
    "gemma3-270m": ("gemma3_text", _llama(640, 2048, 18, (4, 1), 262_144, **GEMMA)),
    "gemma3-1b": ("gemma3_text", _llama(1152, 6912, 26, (4, 1), 262_144, **GEMMA)),
    "llama3.2-1b": ("llama", _llama(2048, 8192, 16, (32, 8), 128_256, rope_parameters=LLAMA3_ROPE, **TIED)),
    "mistral-7b": ("mistral", _llama(4096, 14_336, 32, (32, 8), 32_768, sliding_window=None)),
    "gpt-oss-20b": (
        "gpt_oss",
        _llama(2880, 2880, 24, (64, 8), 201_088, head_dim=64, sliding_window=128, rope_parameters=YARN, **EXPERTS),
    ),
}
"""By catalogue id: the model's type, and its configuration as its own config.json has it."""

N_LAYERS = {"smollm3": 4, "gemma3_text": 6}
"""Layers in a period, where they differ; two of any other."""


def whole(model_id: str) -> PreTrainedModel:
    """A catalogue model without memory for its weights: on torch's meta device, all layers of it."""
    model_type, shape = SHAPES[model_id]
    with torch.device("meta"):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **shape))
    return model


def proved(model_id: str) -> str:
    """The first layers of a catalogue model with random weights, proved: the verdict and the largest gap."""
    model_type, shape = SHAPES[model_id]
    cut = {**shape, "num_hidden_layers": N_LAYERS.get(model_type, 2)}
    torch.manual_seed(0)
    dtype = torch.bfloat16 if model_type == "gpt_oss" else torch.float32
    config = AutoConfig.for_model(model_type, **cut)
    model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    proof = prove(model, adapter_of(model)).proof
    return f"{'exact' if proof.ok else 'WRONG'}, largest gap {max(check.gap for check in proof.checks):.0e}"


HEAD = """# The catalogue

Written by `python -m sweep.shapes`; do not edit. Any other causal language model works too: give its name.

Parameters that are shared are counted once. Memory is that of the weights in the number format of the file; gpt-oss is
read in bfloat16 where there are no kernels for its own. *Tried*: with these weights; or, where they are not at hand, in
their own shape (widths, heads, vocabulary, rotary settings; the first layers, random weights), proved as at every load,
and with a chat template of the same kind. *Gated*: accept its terms on its page of the hub, then log in with
`hf auth login`, or set `HF_TOKEN`.

| id | on the hub | parameters | download | memory | licence | reasons first | good for | tried |
|---|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """docs/catalogue.md: the catalogue as a table."""
    return HEAD + "".join(f"| {' | '.join(_row(entry))} |\n" for entry in CATALOGUE)


def _row(entry: ModelEntry) -> list[str]:
    weight = weigh(replace(entry, source="hub", location="none/none")) if entry.source == "hub" else None
    download, memory = (weight.disk_bytes, weight.memory_bytes) if weight else (None, 4 * (entry.parameters or 0))
    return [
        f"`{entry.id}`",
        entry.location if entry.source == "hub" else f"comes with the install (`{entry.location}`)",
        parameters(entry).removesuffix(" parameters"),
        f"{download / 1e9:.1f} GB" if download else "",
        f"{(memory or 0) / 1e9:.1f} GB",
        f"{entry.licence}{', gated' if entry.is_gated else ''}",
        {"": "no", "can": "can be turned off", "always": "always"}[entry.reasons],
        entry.note,
        {"weights": "these weights", "shape": "shape and template", "": ""}[entry.tried],
    ]


def main() -> int:
    """Print a line a model, and write docs/catalogue.md; 1 where one is not read exactly."""
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    verdicts = []
    for entry in CATALOGUE:
        if entry.id in SHAPES:
            began = time.monotonic()
            verdicts.append(proved(entry.id))
            gc.collect()
            print(f"{time.monotonic() - began:5.1f} s  {entry.id:14} {verdicts[-1]}", flush=True)
    PAGE.write_text(page(), encoding="utf-8")
    return int(not all(verdict.startswith("exact") for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
