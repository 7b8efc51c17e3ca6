"""Forward hooks are on while they are wanted, and off afterwards, whatever happened in between."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from torch import nn

from llm_tracker.models.forward.hooks import after, before, layers_in_turn, once_each, put_on


def n_hooks(module: nn.Module) -> int:
    return len(module._forward_hooks) + len(module._forward_pre_hooks)


def test_a_hook_sees_what_goes_in_and_what_comes_out_and_may_change_both() -> None:
    linear = nn.Linear(2, 2, bias=False)
    linear.weight = nn.Parameter(torch.eye(2))
    rows = torch.ones(1, 2)

    def doubled(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return (args[0] * 2,), kwargs

    def plus_one(_module: nn.Module, _args: Any, _kwargs: Any, output: torch.Tensor) -> torch.Tensor:
        return output + 1

    with put_on([before(linear, doubled), after(linear, plus_one)]):
        assert linear(rows).tolist() == [[3.0, 3.0]]
    assert linear(rows).tolist() == [[1.0, 1.0]]


def test_keywords_are_seen_too() -> None:
    class Keyed(nn.Module):
        def forward(self, rows: torch.Tensor, *, factor: float) -> torch.Tensor:
            return rows * factor

    seen: list[dict[str, Any]] = []
    keyed = Keyed()
    with put_on([before(keyed, lambda _m, _a, kwargs: seen.append(kwargs))]):
        keyed(torch.ones(1), factor=3.0)
    assert seen == [{"factor": 3.0}]


def test_all_are_off_where_a_pass_fails() -> None:
    linear = nn.Linear(2, 2)
    hooks = [before(linear, lambda *_: None), after(linear, lambda *_: None)]
    counted: list[int] = []
    hooks.append(before(linear, lambda *_: counted.append(n_hooks(linear))))
    with pytest.raises(RuntimeError), put_on(hooks):
        linear(torch.ones(1, 3))
    assert (counted, n_hooks(linear)) == ([3], 0)


def test_those_that_are_on_already_are_off_where_the_next_cannot_be_put_on() -> None:
    linear = nn.Linear(2, 2)

    def broken() -> Any:
        yield before(linear, lambda *_: None)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"), put_on(broken()):
        pass
    assert n_hooks(linear) == 0


def test_a_hook_that_is_taken_off_while_another_thread_calls_it_is_given_no_keywords_and_bears_it() -> None:
    """torch looks up whether a hook wants keywords at the moment of the call."""
    linear = nn.Linear(2, 2)
    seen: list[Any] = []
    inside, go_on = threading.Event(), threading.Event()

    def wait(*_: Any) -> None:
        inside.set()
        go_on.wait(10)

    first = put_on([before(linear, wait)])
    with first, put_on([before(linear, lambda *call: seen.append(call[2]))]):
        calling = threading.Thread(target=linear, args=(torch.ones(1, 2),))
        calling.start()
        inside.wait(10)
        handles = dict(linear._forward_pre_hooks_with_kwargs)
        linear._forward_pre_hooks_with_kwargs.clear()
        go_on.set()
        calling.join()
        linear._forward_pre_hooks_with_kwargs.update(handles)
    assert seen == [{}]


def test_a_shared_module_is_hooked_once_and_tells_its_layers_in_turn() -> None:
    shared, other = nn.Linear(1, 1), nn.Linear(1, 1)
    modules = [shared, other, shared, None]
    assert once_each(modules) == [shared, other]
    turns = layers_in_turn(modules)
    assert [next(turns[id(shared)]) for _ in range(4)] == [0, 2, 0, 2]
    assert [next(turns[id(other)]) for _ in range(2)] == [1, 1]
