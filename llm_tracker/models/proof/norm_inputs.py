"""What attention and feed-forward get, against what the norms that an adapter names give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from llm_tracker.models.forward.hooks import ForwardHook, after, before, put_on
from llm_tracker.models.forward.residual_rows import hidden_input, hidden_state


@contextmanager
def norm_gap(norm: nn.Module, part: nn.Module) -> Iterator[list[float]]:
    """Collects the gaps between what `norm` gives and what `part` gets; infinite where the norm never ran."""
    gaps: list[float] = []
    given: list[Tensor] = []

    def compare(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        got = hidden_input(args, kwargs)
        same_size = given and got is not None and given[-1].numel() == got.numel()
        gap = (given[-1].flatten() - got.flatten()).abs().max().item() if same_size and got is not None else None
        gaps.append(float("inf") if gap is None else gap)

    def note(_module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        given.append(hidden_state(output))

    with put_on([after(norm, note), before(part, compare)]):
        yield gaps


@contextmanager
def norms_left_out(layer: nn.Module, part: nn.Module) -> Iterator[list[str]]:
    """Collects which of the layer's modules turn rows into exactly what `part` gets: its norm, if it has one.

    A dropout's rows come out as they went in, and a norm has no matrix.
    """
    names: list[str] = []
    given: dict[str, tuple[Tensor | None, Any]] = {}

    def forget(*_: Any) -> None:
        given.clear()

    def compare(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        got = hidden_input(args, kwargs)
        names.extend(name for name, (taken, rows) in given.items() if _same(rows, got) and not _same(rows, taken))

    def noting(name: str, module: nn.Module) -> ForwardHook:
        def note(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            given[name] = hidden_input(args, kwargs), hidden_state(output)

        return after(module, note)

    small = [
        noting(name, module)
        for name, module in layer.named_modules()
        if module is not part and sum(weight.dim() > 1 for weight in module.parameters()) == 0
    ]
    with put_on([before(layer, forget), *small, before(part, compare)]):
        yield names


def _same(rows: Any, others: Tensor | None) -> bool:
    if not isinstance(rows, Tensor) or others is None or rows.numel() != others.numel():
        return False
    return torch.equal(rows.flatten(), others.flatten())
