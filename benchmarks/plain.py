"""Plain transformers: `model.generate`, and its own way to look inside. None of our code, and none of our kernels."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.ours import N_NEW
from llm_tracker.models.kernels import plain_kernels

if TYPE_CHECKING:
    from llm_tracker import LoadedModel


@contextlib.contextmanager
def as_loaded(model: LoadedModel, attention: str = "sdpa") -> Iterator[Any]:
    """The network as `from_pretrained` gives it."""
    ours = model.config._attn_implementation
    model.model.set_attn_implementation(attention)
    try:
        with plain_kernels(model.model):
            yield model.model
    finally:
        model.model.set_attn_implementation(ours)


def generated(model: LoadedModel, ids: Sequence[int], n_new: int = N_NEW) -> list[int]:
    """`model.generate`: greedy, SDPA, with a cache; the new tokens."""
    with as_loaded(model) as network:
        return _generate(network, ids, n_new)[0, len(ids) :].tolist()


def _generate(network: Any, ids: Sequence[int], n_new: int, **more: Any) -> Any:
    tensor = torch.tensor([list(ids)], device=network.device)
    return network.generate(
        tensor,
        attention_mask=torch.ones_like(tensor),
        max_new_tokens=n_new,
        do_sample=False,
        eos_token_id=None,
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
    with as_loaded(model, "eager") as network:
        output = _generate(
            network,
            ids,
            N_NEW,
            return_dict_in_generate=True,
            output_attentions=True,
            output_hidden_states=True,
            output_logits=True,
        )
        with torch.inference_mode():
            states = output.hidden_states[step]
            inner = torch.stack([state[0, -1] for state in states[1:-1]])
            rows = torch.cat([model.adapter.final_norm(network, inner), states[-1][0, -1:]])  # the last one is normed
            lens = model.adapter.unembed(network, rows).float().softmax(-1).topk(5).values
            attention = torch.stack([pattern[0, :, -1] for pattern in output.attentions[step]]).float()
        return Seen(
            output.sequences[0, len(ids) :].tolist(),
            output.logits[step][0].float().softmax(-1).topk(10).values,
            attention,
            lens,
        )
