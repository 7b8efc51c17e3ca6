"""Whether a model that goes on behind a cache counts its positions on by itself, or has to be told them.

transformers' own generation tells every model; some classes rely on it, and left alone count from 0 again (Bamba).
Others number positions in a way of their own, and must be left alone (RoBERTa).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn

KEYWORD = "position_ids"

_told: WeakSet[nn.Module] = WeakSet()


def tell(model: nn.Module) -> None:
    """From now on this model is told the positions of what it reads behind a cache."""
    _told.add(model)


def is_told(model: nn.Module) -> bool:
    """Whether this model is told them."""
    return model in _told


def positions_behind(n_read: int, token_ids: Tensor) -> Tensor:
    """The positions (1, position) of tokens (1, position) behind `n_read` others."""
    return torch.arange(n_read, n_read + token_ids.shape[1], device=token_ids.device)[None]


@contextmanager
def firsts_seen(model: nn.Module) -> Iterator[set[int]]:
    """Collects the first position of whatever the model's modules are given positions for."""
    firsts: set[int] = set()

    def see(_module: nn.Module, _args: Any, kwargs: dict[str, Any]) -> None:
        positions = kwargs.get(KEYWORD)
        if isinstance(positions, Tensor) and positions.numel():
            firsts.add(int(positions.flatten()[0]))

    with ExitStack() as stack:
        for module in model.modules():
            if module is not model:
                stack.callback(module.register_forward_pre_hook(see, with_kwargs=True).remove)
        yield firsts
