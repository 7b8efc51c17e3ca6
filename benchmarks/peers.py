"""Another tool beside ours, where it is installed: TransformerLens' bridge, which wraps the same transformers model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from benchmarks import ours, plain
from benchmarks.overhead import N_AGREEING, Figures, forgetting, require_agreement
from benchmarks.pairs import ratio
from benchmarks.prompts import prompts

if TYPE_CHECKING:
    from llm_tracker import LoadedModel


def versus_bridge(model: LoadedModel, n: int, length: int, name: str) -> Figures:
    """TransformerLens' way to the same quantities, over ours; nothing where it is not installed."""
    if find_spec("transformer_lens") is None or model.directory is None or model.device != "cpu":
        return
    bridge = _bridge(model)
    with ours.endless(model):
        for ids, _ in zip(prompts(model, length), range(N_AGREEING), strict=False):
            require_agreement(model, ids, _seen(bridge, ids))

        def theirs(ids: Sequence[int]) -> list[int]:
            return _seen(bridge, ids).token_ids

        yield name, ratio(theirs, partial(ours.traced, model), prompts(model, length), n, forgetting(model))


def _bridge(model: LoadedModel) -> Any:
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(str(model.directory), device="cpu", dtype=model.model.dtype)
    bridge.eval()
    return bridge


def _seen(bridge: Any, ids: Sequence[int]) -> plain.Seen:
    """The prompt with a cache of activations, its last position's lens by hand, and the answer."""
    tokens = torch.tensor([list(ids)])
    with torch.inference_mode():
        n_layers = bridge.cfg.n_layers
        wanted = {
            f"blocks.{layer}.{part}" for layer in range(n_layers) for part in ("hook_resid_post", "attn.hook_pattern")
        }
        logits, cache = bridge.run_with_cache(tokens, names_filter=lambda name: name in wanted, prepend_bos=False)
        rows = torch.stack([cache[f"blocks.{layer}.hook_resid_post"][0, -1] for layer in range(n_layers)])
        lens = bridge.unembed(bridge.ln_final(rows[None]))[0].float().softmax(-1).topk(5).values
        patterns = torch.stack([cache[f"blocks.{layer}.attn.hook_pattern"][0, :, -1] for layer in range(n_layers)])
        written = bridge.generate(
            tokens,
            max_new_tokens=ours.N_NEW,
            do_sample=False,
            stop_at_eos=False,
            prepend_bos=False,
            verbose=False,
            return_type="tokens",
        )
    return plain.Seen(
        written[0, len(ids) :].tolist(), logits[0, -1].float().softmax(-1).topk(10).values, patterns, lens
    )
