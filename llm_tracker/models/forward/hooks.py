"""Forward hooks: the one place where they are put on a model's modules, and taken off again.

A hook sees a module's call, before or after it, and may change what goes in or what comes out. Whatever is read or
replaced in a forward pass goes through `put_on`, so that nothing is left behind when a pass fails or is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

from torch import nn

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""What a module is called with: positional and keyword arguments."""

SeeBefore = Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], Arguments | None]
"""Is given the module and its arguments; returns others to call it with, or None."""

SeeAfter = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], Any]
"""Is given the module, its arguments and its output; returns another output, or None."""


@dataclass(frozen=True, eq=False)
class ForwardHook:
    """What is to be called before or after a module, in every pass while it is on."""

    module: nn.Module
    when: Literal["before", "after"]
    see: Callable[..., Any]
    replaces: bool = False
    """Whether it may put something else in the place of what the model computed."""


def before(module: nn.Module, see: SeeBefore) -> ForwardHook:
    """A hook that sees what a module is called with."""
    return ForwardHook(module, "before", see)


def after(module: nn.Module, see: SeeAfter) -> ForwardHook:
    """A hook that sees what a module returns."""
    return ForwardHook(module, "after", see)


@contextmanager
def put_on(hooks: Iterable[ForwardHook]) -> Iterator[None]:
    """Within this context the hooks are on; at its end all are off, whatever happened.

    Hooks see the passes of every thread: hold `LoadedModel.running` while a pass is looked into.
    """
    with ExitStack() as stack:
        for hook in hooks:
            stack.callback(_registered(hook).remove)
            if hook.replaces:
                stack.enter_context(replacing())
        yield


@contextmanager
def replacing() -> Iterator[None]:
    """Within this context `is_replacing` is true."""
    _replacements.append(None)
    try:
        yield
    finally:
        _replacements.pop()


def is_replacing() -> bool:
    """Whether anything of a forward pass is being replaced, in whatever model of this process.

    What a pass computes now is not what the model computes by itself: a KV cache of the one must not serve the other.
    """
    return bool(_replacements)


_replacements: list[None] = []
"""One for each replacement that is on: lists grow and shrink in one step, so that threads need no lock."""


def _registered(hook: ForwardHook) -> Any:
    # torch leaves the keywords out where a hook is taken off while another thread's pass calls it.
    def call_before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
        return hook.see(module, args, kwargs or {})

    def call_after(module: nn.Module, args: tuple[Any, ...], *rest: Any) -> Any:
        return hook.see(module, args, rest[0] if len(rest) > 1 else {}, rest[-1])

    if hook.when == "before":
        return hook.module.register_forward_pre_hook(call_before, with_kwargs=True)
    return hook.module.register_forward_hook(call_after, with_kwargs=True)


def once_each(modules: Sequence[nn.Module | None]) -> list[nn.Module]:
    """The modules without gaps and repeats, in order: a hook on a shared one is called for each of its layers."""
    return list(dict.fromkeys(module for module in modules if module is not None))


def layers_in_turn(modules: Sequence[nn.Module | None]) -> dict[int, Iterator[int]]:
    """For each module (by id), the layers (0-based) that it serves, cycling in the order of its calls."""
    layers: dict[int, list[int]] = {}
    for layer, module in enumerate(modules):
        if module is not None:
            layers.setdefault(id(module), []).append(layer)
    return {key: cycle(several) for key, several in layers.items()}
