"""Every module's call in one forward pass: what it was called with, what it gave, and in which order."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.models.forward.attention import pattern_in
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.residual_rows import hidden_state, side_by_side, taken_rows


@dataclass(eq=False)
class Call:
    """One module's call in a forward pass; `entered` and `left` count the events of the pass."""

    path: str
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    got: Tensor | None
    """A copy of the rows that it was called with, several streams side by side."""
    shape: torch.Size
    """Of these rows as they were given."""
    entered: int
    left: int = -1
    gave: Tensor | None = None
    """A copy of the rows that it returned, alone or first of several."""
    pattern: Tensor | None = None
    """The attention pattern (head, query, key) that it returned, where it did."""

    def holds(self, other: Call) -> bool:
        """Whether the other call happened within this one."""
        return self.entered < other.entered and other.left < self.left


@dataclass(frozen=True, eq=False)
class Watched:
    """All calls of a forward pass, in the order in which they began, and what came out at its end."""

    calls: list[Call]
    logits: Tensor  # (position, vocab_size)
    n_positions: int


def watch(model: PreTrainedModel, token_ids: Tensor) -> Watched:
    """Run the model on tokens (1, position) with eager attention, and note every module's call."""
    calls, under_way, clock = list[Call](), list[Call](), iter(range(10**9))

    def enter(path: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        rows = taken_rows(args, kwargs)
        got, shape = (None, torch.Size()) if rows is None else (side_by_side(rows).clone(), rows.shape)
        call = Call(path, module, args, kwargs, got, shape, next(clock))
        calls.append(call)
        under_way.append(call)

    def leave(_module: nn.Module, _args: Any, output: Any) -> None:
        call = under_way.pop()
        call.left, call.gave = next(clock), _copy(_rows(output))
        pattern = pattern_in(output)
        call.pattern = None if pattern is None else pattern[0].float()

    with ExitStack() as stack:
        for path, module in model.named_modules():
            entering = module.register_forward_pre_hook(
                lambda module, args, kwargs, path=path: enter(path, module, args, kwargs), with_kwargs=True
            )
            stack.callback(entering.remove)
            stack.callback(module.register_forward_hook(leave).remove)
        output = forward(model, token_ids, asks=True, last_only=False)
    return Watched(calls, output.logits[0], token_ids.shape[1])


def _rows(output: Any) -> Tensor | None:
    first = hidden_state(output) if not isinstance(output, (tuple, list)) or output else None
    return first if isinstance(first, Tensor) and first.is_floating_point() else None


def _copy(rows: Tensor | None) -> Tensor | None:
    return None if rows is None else rows.clone()
