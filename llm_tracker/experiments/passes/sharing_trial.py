"""Whether a model reads several texts behind a beginning that is held once: tried with the model itself, once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.kv_caches import copied
from llm_tracker.models.forward.numeric_gaps import in_deviations
from llm_tracker.models.forward.shared_beginning import keys_apart
from llm_tracker.models.proof.checks import Bounds

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def can_share(model: LoadedModel, cache: DynamicCache) -> bool:
    """Whether a model reads texts behind a shared beginning; tried once, and with its shared keys apart too.

    Code of its own may look for keys in a cache where a shared one has none. Families that change their keys on the way
    to the attention lose the shared ones.
    """
    if model.model not in _shares:
        with model.running, torch.inference_mode():
            expected = _tried(model, cache)
            _shares[model.model] = expected is not None
            _apart[model.model] = expected is not None and _is_same_apart(model, cache, expected)
    return _shares[model.model]


def _tried(model: LoadedModel, cache: DynamicCache) -> Tensor | None:
    """The logits (row, vocab_size) of two short texts behind a shared beginning; None where the model's code fails."""
    ids = torch.arange(4, device=model.input_device).view(2, 2) % model.architecture.vocab_size
    twin = copied(cache)
    twin.batch_select_indices(torch.zeros(2, dtype=torch.long, device=ids.device))
    try:
        logits: Tensor = forward(model.model, ids, twin, model.way.unasked).logits[:, -1]
        return logits
    except (AttributeError, TypeError, RuntimeError, ValueError, IndexError):
        return None


def _is_same_apart(model: LoadedModel, cache: DynamicCache, expected: Tensor) -> bool:
    if model.way.attention != "sdpa":
        return False
    with keys_apart() as apart:
        found = _tried(model, cache)
    if found is None or not apart.is_whole:
        return False
    return in_deviations(found, expected) <= Bounds.of(model.model.dtype).live


def keeps_keys_apart(model: LoadedModel) -> bool:
    """Whether the keys of a shared beginning are multiplied once for all rows of this model."""
    return _apart.get(model.model, False)


_shares: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()
_apart: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()
