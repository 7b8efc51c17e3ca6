"""Every module's call in one forward pass: what it was called with, what it gave, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.models.forward.attention_rows import pattern_in
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import after, before, put_on
from llm_tracker.models.forward.residual_rows import hidden_state, side_by_side, taken_rows
from llm_tracker.models.forward.way import ASKED


@dataclass(eq=False)
class ModuleCall:
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

    def holds(self, other: ModuleCall) -> bool:
        """Whether the other call happened within this one."""
        return self.entered < other.entered and other.left < self.left


@dataclass(frozen=True, eq=False)
class RecordedCalls:
    """All calls of a forward pass, in the order in which they began, and what came out at its end."""

    calls: list[ModuleCall]
    logits: Tensor  # (position, vocab_size)
    n_positions: int


def record_calls(model: PreTrainedModel, token_ids: Tensor) -> RecordedCalls:
    """Run the model on tokens (1, position) with eager attention, and note every module's call."""
    calls, under_way, clock = list[ModuleCall](), list[ModuleCall](), iter(range(10**9))

    def enter(path: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        rows = taken_rows(args, kwargs)
        got, shape = (None, torch.Size()) if rows is None else (side_by_side(rows).clone(), rows.shape)
        call = ModuleCall(path, module, args, kwargs, got, shape, next(clock))
        calls.append(call)
        under_way.append(call)

    def leave(_module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        call = under_way.pop()
        call.left, call.gave = next(clock), _copy(_rows(output))
        pattern = pattern_in(output)
        call.pattern = None if pattern is None else pattern[0].float()

    named = list(model.named_modules())
    entering = (before(module, partial(enter, path)) for path, module in named)
    leaving = (after(module, leave) for _, module in named)
    with put_on(entering), put_on(leaving):
        output = forward(model, token_ids, way=ASKED, last_only=False)
    return RecordedCalls(calls, output.logits[0], token_ids.shape[1])


def _rows(output: Any) -> Tensor | None:
    first = hidden_state(output) if not isinstance(output, (tuple, list)) or output else None
    return first if isinstance(first, Tensor) and first.is_floating_point() else None


def _copy(rows: Tensor | None) -> Tensor | None:
    return None if rows is None else rows.clone()
