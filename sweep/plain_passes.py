"""Plain transformers on eager attention, one text at a time, with plain torch hooks: what experiments are held against.

Nothing of `llm_tracker` runs in these passes but the adapter, which says where the layers are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

import llm_tracker as lt
from llm_tracker.models.forward.forward_pass import forward, put_on_eager

TokenIds = Sequence[int]
Span = tuple[int, int]
Change = Callable[[Tensor], Tensor]

OVER_SCORES = (functional.softmax, torch.softmax, Tensor.softmax, torch.logsumexp, Tensor.logsumexp)


class PlainPasses:
    """A copy of a model's network as transformers runs it."""

    def __init__(self, model: lt.LoadedModel) -> None:
        self.network: Any = copy.deepcopy(model.model)
        put_on_eager(self.network)
        layers = model.adapter.layers(self.network)
        self._turns = [(layer, layers[:at].count(layer)) for at, layer in enumerate(layers)]

    def logits(self, token_ids: TokenIds) -> Tensor:
        """(position, vocab_size)."""
        with torch.inference_mode():
            output = forward(self.network, torch.tensor([list(token_ids)]), last_only=False)
        logits: Tensor = output.logits[0].float()
        return logits

    def states(self, token_ids: TokenIds) -> list[Tensor]:
        """What enters the first layer and what leaves each: (depth), as the layers give it."""
        kept: list[Tensor] = []

        def see(rows: Tensor) -> Tensor:
            kept.append(rows.clone())
            return rows

        with _entering(*self._turns[0], see), _several(_leaving(*turn, see) for turn in self._turns):
            self.logits(token_ids)
        return kept

    def with_states(self, token_ids: TokenIds, depth: int, span: Span, states: Tensor) -> Tensor:
        """The last position's logits, where the states of another text stand at positions of a depth."""
        axis = list(states.shape).index(len(token_ids))

        def put(rows: Tensor) -> Tensor:
            new = rows.clone()
            new.narrow(axis, span[0], span[1] - span[0]).copy_(states.narrow(axis, span[0], span[1] - span[0]))
            return new

        changed = _entering(*self._turns[0], put) if depth == 0 else _leaving(*self._turns[depth - 1], put)
        with changed:
            return self.logits(token_ids)[-1]

    def taken(self, path: str, turn: int, token_ids: TokenIds) -> Tensor:
        """What the module at a path takes, the first tensor."""
        kept: list[Tensor] = []

        def see(rows: Tensor) -> Tensor:
            kept.append(rows.clone())
            return rows

        with _entering(self.network.get_submodule(path), turn, see):
            self.logits(token_ids)
        return kept[0]

    def with_taken(self, path: str, turn: int, token_ids: TokenIds, columns: slice, taken: Tensor) -> Tensor:
        """The last position's logits, where the module at a path takes some columns of another text's there."""

        def put(rows: Tensor) -> Tensor:
            new = rows.clone()
            new.view(len(token_ids), -1)[-1, columns] = taken.view(len(token_ids), -1)[-1, columns]
            return new

        with _entering(self.network.get_submodule(path), turn, put):
            return self.logits(token_ids)[-1]

    def without(self, token_ids: TokenIds, hidden: Span) -> Tensor | None:
        """The last position's logits, where it cannot look at some others; None where no softmax is found for that."""
        with torch.inference_mode(), _Closed(len(token_ids), hidden) as closed:
            logits = self.logits(token_ids)[-1]
        return logits if closed.n_closed else None


class _Closed(TorchFunctionMode):
    """Closes places of each softmax over all positions, whatever code calls it."""

    def __init__(self, n_positions: int, hidden: Span) -> None:
        super().__init__()
        self.n_closed = 0
        self._n, self._hidden = n_positions, hidden

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in OVER_SCORES and self._is_of_positions(args[0]):
            scores = args[0].clone()
            scores[..., -1, slice(*self._hidden)] = -torch.inf
            self.n_closed += 1
            args = (scores, *args[1:])
        return func(*args, **(kwargs or {}))

    def _is_of_positions(self, scores: Tensor) -> bool:
        """Whether these are scores (…, query, key), a sink's behind them at most."""
        return scores.dim() > 2 and scores.shape[-2] == self._n and scores.shape[-1] - self._n in (0, 1)


@contextmanager
def _several(contexts: Iterator[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for each in contexts:
            stack.enter_context(each)
        yield


@contextmanager
def _entering(module: nn.Module, turn: int, change: Change) -> Iterator[None]:
    """Within this context the first tensor that a module takes in its call `turn` (from 0) is changed."""
    calls = iter(range(10**9))

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if next(calls) != turn:
            return None
        if args:
            return (change(args[0]), *args[1:]), kwargs
        name = next(name for name, given in kwargs.items() if isinstance(given, Tensor))
        return args, {**kwargs, name: change(kwargs[name])}

    handle = module.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _leaving(module: nn.Module, turn: int, change: Change) -> Iterator[None]:
    """Within this context the first tensor that a module gives in its call `turn` (from 0) is changed."""
    calls = iter(range(10**9))

    def hook(_module: nn.Module, _args: Any, output: Any) -> Any:
        if next(calls) != turn:
            return None
        return change(output) if isinstance(output, Tensor) else type(output)([change(output[0]), *output[1:]])

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
