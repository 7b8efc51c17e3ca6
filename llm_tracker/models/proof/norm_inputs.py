"""The seams between a norm and the part that reads it: what the one gives against what the other gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from llm_tracker.models.forward.residual_rows import hidden_input, hidden_state


@contextmanager
def seam(norm: nn.Module, reader: nn.Module) -> Iterator[list[float]]:
    """Collects the gaps between what `norm` gives and what `reader` gets; infinite where the norm never spoke."""
    gaps: list[float] = []
    given: list[Tensor] = []

    def compare(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        got = hidden_input(args, kwargs)
        same_size = given and got is not None and given[-1].numel() == got.numel()
        gaps.append((given[-1].flatten() - got.flatten()).abs().max().item() if same_size and got is not None else inf)

    inf = float("inf")
    speak = norm.register_forward_hook(lambda _m, _a, output: given.append(hidden_state(output)))
    listen = reader.register_forward_pre_hook(compare, with_kwargs=True)
    try:
        yield gaps
    finally:
        speak.remove()
        listen.remove()


@contextmanager
def feeders(layer: nn.Module, reader: nn.Module) -> Iterator[list[str]]:
    """Collects which of the layer's modules turn rows into exactly what `reader` gets: its norm, if it has one.

    A dropout's rows come out as they went in, and a norm has no matrix.
    """
    names: list[str] = []
    given: dict[str, tuple[Tensor | None, Any]] = {}

    def compare(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        got = hidden_input(args, kwargs)
        names.extend(name for name, (taken, rows) in given.items() if _same(rows, got) and not _same(rows, taken))

    with ExitStack() as stack:
        stack.callback(layer.register_forward_pre_hook(lambda *_: given.clear()).remove)
        for name, module in layer.named_modules():
            if module is not reader and sum(weight.dim() > 1 for weight in module.parameters()) == 0:
                stack.callback(module.register_forward_hook(_noting(given, name), with_kwargs=True).remove)
        stack.callback(reader.register_forward_pre_hook(compare, with_kwargs=True).remove)
        yield names


def _noting(given: dict[str, tuple[Tensor | None, Any]], name: str) -> Callable[..., None]:
    def note(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        given[name] = hidden_input(args, kwargs), hidden_state(output)

    return note


def _same(rows: Any, others: Tensor | None) -> bool:
    if not isinstance(rows, Tensor) or others is None or rows.numel() != others.numel():
        return False
    return torch.equal(rows.flatten(), others.flatten())
