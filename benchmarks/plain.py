"""Plain transformers: `model.generate`, and its own way to look inside. None of our code, and none of our kernels."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM

from benchmarks.ours import N_NEW

if TYPE_CHECKING:
    from llm_tracker import LoadedModel


@cache
def network(model: LoadedModel, attention: str = "sdpa", dtype: str = "") -> Any:
    """The same weights as `from_pretrained` gives them, once more (mapped files are shared), without ends."""
    if model.directory is None:
        loaded = copy.deepcopy(model.model)
        loaded.set_attn_implementation(attention)
    else:
        loaded = AutoModelForCausalLM.from_pretrained(
            model.directory, dtype=dtype or model.dtype, attn_implementation=attention, local_files_only=True
        ).to(model.device)
    loaded.generation_config.eos_token_id = None
    return loaded.eval()


def generated(model: LoadedModel, ids: Sequence[int], dtype: str = "") -> list[int]:
    """`model.generate`: greedy, SDPA, with a cache; the new tokens."""
    written: list[int] = _generate(network(model, "sdpa", dtype), ids)[0, len(ids) :].tolist()
    return written


def _generate(network: Any, ids: Sequence[int], **more: Any) -> Any:
    tensor = torch.tensor([list(ids)], device=network.device)
    return network.generate(
        tensor,
        attention_mask=torch.ones_like(tensor),
        max_new_tokens=N_NEW,
        do_sample=False,
        pad_token_id=0,
        **more,
    )


@dataclass(frozen=True)
class Seen:
    """What transformers' own way sees of one token."""

    token_ids: list[int]
    top_probs: torch.Tensor  # (candidate)
    attention: torch.Tensor  # (layer, head, key)
    lens_top_probs: torch.Tensor  # (layer, candidate)


def seen(model: LoadedModel, ids: Sequence[int], step: int = 0) -> Seen:
    """Eager attention with all outputs kept, and the lens of one token by hand."""
    eager = network(model, "eager")
    kept = dict.fromkeys(
        ("return_dict_in_generate", "output_attentions", "output_hidden_states", "output_logits"), True
    )
    output = _generate(eager, ids, **kept)
    with torch.inference_mode():
        states = output.hidden_states[step]
        inner = torch.stack([state[0, -1] for state in states[1:-1]])
        rows = torch.cat([model.adapter.final_norm(eager, inner), states[-1][0, -1:]])  # the last one is normed
        lens = model.adapter.unembed(eager, rows).float().softmax(-1).topk(5).values
        attention = torch.stack([pattern[0, :, -1] for pattern in output.attentions[step]]).float()
        best = output.logits[step][0].float().softmax(-1).topk(10).values
    return Seen(output.sequences[0, len(ids) :].tolist(), best.cpu(), attention.cpu(), lens.cpu())
